//! Messages by HTTP POST from the shell: the flags, and saved endpoints by name.

use std::path::PathBuf;

use campanile_core::outbox::destination::{Destination, Header};
use campanile_core::outbox::endpoint::Endpoint;
use clap::ValueEnum;
use http::Method;
use serde::Deserialize;

use super::client::{Call, Client};
use super::parse;
use crate::exit::Failure;

/// Where it is posted to, and how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "By HTTP POST (with --channel http)")]
pub(super) struct Posts {
    /// Where to; the body is the text as it is
    #[arg(long = "post-url", id = "post_urls", value_name = "URL")]
    pub(super) urls: Vec<String>,
    /// To a saved endpoint, by its name or id
    #[arg(long = "post-endpoint", id = "post_endpoints", value_name = "NAME")]
    pub(super) endpoints: Vec<String>,
    /// Sent to each --post-url, such as "X-Team: ops"
    #[arg(long = "post-header", id = "post_headers", value_name = "NAME: VALUE", value_parser = header,
        requires = "post_urls")]
    headers: Vec<Header>,
    /// Whether --post-url is reached through the system proxy [default: as the server has it]
    #[arg(long, value_name = "WHETHER", value_enum, requires = "post_urls")]
    use_system_proxy: Option<Whether>,
    /// A file that holds the secret (`whsec_…`) by which what goes to --post-url is signed
    #[arg(long, value_name = "FILE", requires = "post_urls")]
    post_secret_file: Option<PathBuf>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whether {
    Yes,
    No,
}

fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("must be a name, a colon and a value, such as \"X-Team: ops\"")?;
    Ok(Header {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    })
}

impl Posts {
    /// Whether anything is to be posted.
    pub(super) fn is_empty(&self) -> bool {
        self.urls.is_empty() && self.endpoints.is_empty()
    }

    /// The URLs that were typed; reads the secret's file.
    pub(super) fn typed(&self) -> Result<Vec<Destination>, Failure> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map(|text| text.trim().to_owned())
                .map_err(|error| Failure::Usage(format!("--post-secret-file {}: {error}", path.display())))
        };
        let secret = self.post_secret_file.as_ref().map(read).transpose()?;
        let typed = self.urls.iter().map(|url| Destination {
            endpoint: None,
            url: Some(url.clone()),
            headers: self.headers.clone(),
            use_system_proxy: self.use_system_proxy.map(|whether| whether == Whether::Yes),
            secret: secret.clone(),
        });
        Ok(typed.collect())
    }

    /// The saved endpoints that were named. Asks the server where a name is no number.
    pub(super) async fn saved(&self, client: &Client) -> Result<Vec<Destination>, Failure> {
        let mut out = Vec::with_capacity(self.endpoints.len());
        let mut known: Option<Vec<Endpoint>> = None;
        for name in &self.endpoints {
            let id = match (name.parse(), &known) {
                (Ok(id), _) => id,
                (Err(_), Some(known)) => by_name(known, name)?,
                (Err(_), None) => by_name(known.insert(all(client).await?), name)?,
            };
            out.push(Destination {
                endpoint: Some(id),
                ..Destination::default()
            });
        }
        Ok(out)
    }
}

/// A page of endpoints.
#[derive(Deserialize)]
struct Page {
    items: Vec<Endpoint>,
    next: Option<String>,
}

/// Every endpoint that may be seen.
async fn all(client: &Client) -> Result<Vec<Endpoint>, Failure> {
    let (mut out, mut path) = (Vec::new(), "/api/v1/endpoints?limit=100".to_owned());
    loop {
        let call = Call {
            method: Method::GET,
            path: &path,
            body: Vec::new(),
            key: None,
        };
        let page: Page = parse(&client.call(&call).await?)?;
        out.extend(page.items);
        let Some(next) = page.next else { return Ok(out) };
        path = format!("/api/v1/endpoints?limit=100&cursor={next}");
    }
}

fn by_name(known: &[Endpoint], name: &str) -> Result<i64, Failure> {
    let same = |of: &&Endpoint| of.name.to_lowercase() == name.to_lowercase();
    let found: Vec<_> = known.iter().filter(same).collect();
    match found[..] {
        [one] => Ok(one.id),
        [] => Err(Failure::Work(format!("there is no endpoint {name} that you may see"))),
        _ => {
            let ids: Vec<_> = found
                .iter()
                .map(|of| format!("{} ({})", of.id, of.environment))
                .collect();
            let ids = ids.join(", ");
            Err(Failure::Work(format!(
                "several endpoints are called {name}; take the id: {ids}"
            )))
        }
    }
}
