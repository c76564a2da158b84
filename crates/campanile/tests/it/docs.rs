//! The OpenAPI document and the reference page made of it.

use axum::Router;
use campanile::api::docs::{Docs, routes};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

fn docs(description: serde_json::Value) -> Docs {
    Docs::new(&serde_json::from_value(description).unwrap()).unwrap()
}

fn small() -> Docs {
    docs(json!({
        "openapi": "3.1.0",
        "info": { "title": "Campanile", "version": "1", "description": "One `bell` tower.\n\nTwo paragraphs." },
        "tags": [{ "name": "Messages", "description": "What senders send." }, { "name": "Unused" }],
        "paths": {
            "/api/v1/messages/{id}": {
                "put": {
                    "tags": ["Messages"],
                    "operationId": "correct_message",
                    "summary": "Corrects a message",
                    "description": "Only <b>its</b> sender may.",
                    "parameters": [{
                        "name": "id", "in": "path", "required": true, "description": "The message.",
                        "schema": { "type": "integer", "format": "int64", "minimum": 1 }
                    }],
                    "requestBody": {
                        "required": true,
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Draft" } } }
                    },
                    "responses": {
                        "200": {
                            "description": "Corrected.",
                            "content": { "application/json": { "schema": {
                                "type": "array", "items": { "$ref": "#/components/schemas/Draft" }
                            } } }
                        },
                        "404": { "description": "There is no such message." }
                    }
                }
            },
            "/health": { "get": { "security": [], "responses": { "200": { "description": "Alive." } } } }
        },
        "components": { "schemas": {
            "Draft": {
                "type": "object",
                "required": ["title"],
                "properties": {
                    "title": {
                        "type": "string", "maxLength": 1000, "description": "What it's about.", "example": "It's on"
                    },
                    "importance": { "type": "string", "enum": ["low", "high"] },
                    "until": { "type": ["string", "null"], "format": "date-time" }
                }
            }
        } }
    }))
}

#[test]
fn the_page_tells_what_the_document_says() {
    let docs = small();
    let page = std::str::from_utf8(docs.page()).unwrap();
    let lines: Vec<_> = page.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.iter().position(|line| line.starts_with("<main")).unwrap();
    let to = lines.iter().position(|line| line.contains("id=\"problems\"")).unwrap();
    insta::assert_snapshot!(lines[from..to].join("\n"), @r##"
    <main id="main">
    <h1>API reference</h1>
    <p>One <code>bell</code> tower.</p><p>Two paragraphs.</p>
    <section aria-labelledby="tag-messages">
    <h2 id="tag-messages">Messages</h2>
    <p>What senders send.</p>
    <article class="card" aria-labelledby="op-correct-message">
    <h3 id="op-correct-message"><span class="verb">PUT</span> <code>/api/v1/messages/{id}</code></h3>
    <p class="summary">Corrects a message</p>
    <p>Only &#60;b&#62;its&#60;/b&#62; sender may.</p>
    <div class="scroll" role="group" aria-label="Parameters" tabindex="0">
    <table>
    <caption>Parameters</caption>
    <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
    <tbody>
    <tr>
    <th scope="row"><code>id</code><span class="must">required</span><span class="place">in path</span></th>
    <td>whole number<span class="limits">at least 1</span></td>
    <td><p>The message.</p></td>
    </tr>
    </tbody>
    </table>
    </div>
    <h4>Body</h4>
    <p><code>application/json</code>: <a href="#schema-Draft">Draft</a></p>
    <div class="scroll" role="group" aria-label="Fields" tabindex="0">
    <table>
    <caption>Fields</caption>
    <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
    <tbody>
    <tr>
    <th scope="row"><code>importance</code></th>
    <td>text<span class="limits">&#34;low&#34;, &#34;high&#34;</span></td>
    <td></td>
    </tr>
    <tr>
    <th scope="row"><code>title</code><span class="must">required</span></th>
    <td>text<span class="limits">at most 1000 characters</span></td>
    <td><p>What it&#39;s about.</p></td>
    </tr>
    <tr>
    <th scope="row"><code>until</code></th>
    <td>text (date-time) or null</td>
    <td></td>
    </tr>
    </tbody>
    </table>
    </div>
    <h4>Answers</h4>
    <dl class="answers">
    <dt><span class="status s2">200</span></dt>
    <dd><p>Corrected.</p>
    <p class="hint"><code>application/json</code>: list of <a href="#schema-Draft">Draft</a></p></dd>
    <dt><span class="status s4">404</span></dt>
    <dd><p>There is no such message.</p></dd>
    </dl>
    <h4>Try it</h4>
    <pre tabindex="0" role="group" aria-label="Command"><code>curl -X PUT &#34;$CAMPANILE_URL/api/v1/messages/$id&#34; \
    -H &#34;Authorization: Bearer $CAMPANILE_TOKEN&#34; \
    -H &#39;Content-Type: application/json&#39; \
    --data-binary &#39;{&#34;title&#34;:&#34;It&#39;\&#39;&#39;s on&#34;}&#39;</code></pre>
    </article>
    </section>
    <section aria-labelledby="tag-other">
    <h2 id="tag-other">Other</h2>
    <article class="card" aria-labelledby="op-get-health">
    <h3 id="op-get-health"><span class="verb">GET</span> <code>/health</code></h3>
    <h4>Answers</h4>
    <dl class="answers">
    <dt><span class="status s2">200</span></dt>
    <dd><p>Alive.</p></dd>
    </dl>
    <h4>Try it</h4>
    <pre tabindex="0" role="group" aria-label="Command"><code>curl &#34;$CAMPANILE_URL/health&#34;</code></pre>
    </article>
    </section>
    <section aria-labelledby="problems">
    "##);
}

#[test]
fn what_is_said_of_a_part_is_on_the_page() {
    let docs = docs(json!({
        "openapi": "3.1.0", "info": { "title": "Campanile", "version": "1" },
        "paths": { "/a": { "get": { "summary": "Reads `a`.", "responses": {} } } },
        "components": { "schemas": {
            "Weight": { "type": "string", "enum": ["low", "high"] },
            "Part": { "oneOf": [
                { "type": "object", "description": "Who holds a role.", "properties": {
                    "role": { "type": "string" }
                } },
                { "type": "object", "description": "One user.", "properties": {
                    "user": { "oneOf": [{ "type": "null" }, { "type": "string", "description": "By login." }] }
                } }
            ] }
        } }
    }));
    let page = String::from_utf8(docs.page().to_vec()).unwrap();
    for said in [
        "Reads <code>a</code></a>",
        "&#34;low&#34;, &#34;high&#34;",
        "<caption>Who holds a role.</caption>",
        "<caption>One user.</caption>",
        "<p>By login.</p>",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
}

#[test]
fn the_page_needs_no_script_and_no_other_site() {
    let docs = small();
    let page = std::str::from_utf8(docs.page()).unwrap();
    for foreign in ["<script", "style=", "onclick", "//cdn", "src=", "<b>its</b>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("<link rel=\"stylesheet\" href=\"/api/docs.css\">"));
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let docs = small();
    let page = std::str::from_utf8(docs.page()).unwrap();
    let targets: Vec<_> = page
        .split("href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(targets.len() > 5);
    for target in targets {
        assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}

struct Said {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

async fn get(router: &Router, path: &str, etag: &str) -> Said {
    let request = Request::get(path)
        .header("if-none-match", etag)
        .body(axum::body::Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Said {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let router = routes(|| Ok(small()));
    for path in ["/api/v1/openapi.json", "/api/docs", "/api/docs.css"] {
        let first = get(&router, path, "\"other\"").await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert!(!first.body.is_empty());
        let etag = first.headers["etag"].to_str().unwrap();
        for known in [etag.to_owned(), format!("\"x\", W/{etag}"), "*".into()] {
            let again = get(&router, path, &known).await;
            assert_eq!(
                (again.status, again.body.len()),
                (StatusCode::NOT_MODIFIED, 0),
                "{path} {known}"
            );
            assert_eq!(again.headers["etag"], etag);
        }
    }
}

#[tokio::test]
async fn the_page_is_confined_and_the_document_is_json() {
    let router = routes(|| Ok(small()));
    let page = get(&router, "/api/docs", "").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    let document = get(&router, "/api/v1/openapi.json", "").await;
    assert_eq!(document.headers["content-type"], "application/json");
    let document: serde_json::Value = serde_json::from_slice(&document.body).unwrap();
    assert_eq!(document["info"]["title"], "Campanile");
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_place() {
    let router = routes(|| Ok(small()));
    let said = get(&router, "/problems/invalid", "").await;
    assert_eq!(
        (said.status, &said.headers["location"]),
        (StatusCode::SEE_OTHER, &"/api/docs#problem-invalid".parse().unwrap())
    );
    assert_eq!(
        get(&router, "/problems/nonsense", "").await.status,
        StatusCode::NOT_FOUND
    );
}
