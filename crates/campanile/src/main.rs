//! x
use campanile::{app, chance, clock, config, server};
fn main() -> anyhow::Result<()> {
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let flags = config::Flags {
        config: None,
        log_format: None,
        database: std::env::args().nth(1),
        listen: std::env::args().nth(2),
    };
    let settings = config::Settings::load(flags)?;
    campanile::telemetry::start_log(settings.log_format, "warn")?;
    rt.block_on(async {
        let listener = tokio::net::TcpListener::bind(settings.listen.to_string()).await?;
        let origin = settings.origin(listener.local_addr()?);
        let app = app::App::open(
            settings,
            origin.clone(),
            clock::Clock::system(),
            chance::Chance::system(),
        )?;
        println!("{:?}", app.ensure_administrator().await?);
        println!("listening on {origin}");
        server::run(&app, listener).await?;
        Ok(())
    })
}
