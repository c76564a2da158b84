//! An OpenAPI document as the reference page shows it: sections of operations, then the schemas they speak of.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// How deep a made-up example goes before it stops.
const EXAMPLE_DEPTH: usize = 6;

/// Everything on the page.
#[derive(Debug)]
pub(super) struct Reference {
    pub title: String,
    pub version: String,
    pub intro: Text,
    pub sections: Vec<Section>,
    pub schemas: Vec<Schema>,
}

/// The operations of one tag.
#[derive(Debug)]
pub(super) struct Section {
    pub id: String,
    pub name: String,
    pub description: Text,
    pub operations: Vec<Operation>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: Vec<Span>,
    pub description: Text,
    pub deprecated: bool,
    pub parameters: Vec<Field>,
    pub body: Option<Body>,
    pub responses: Vec<Answer>,
    pub curl: String,
}

/// A request's body.
#[derive(Debug)]
pub(super) struct Body {
    pub media_type: String,
    pub required: bool,
    pub description: Text,
    pub schema: Schema,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub status: String,
    pub description: Text,
    pub media_type: String,
    pub kind: Vec<Piece>,
}

/// A schema: its type with what it is held to, and each shape that it can have (one for a plain object, none for a
/// scalar).
#[derive(Debug)]
pub(super) struct Schema {
    pub name: String,
    pub description: Text,
    pub kind: Vec<Piece>,
    pub limits: String,
    pub shapes: Vec<Shape>,
}

/// The fields of an object, with what to call them where there are several shapes.
#[derive(Debug)]
pub(super) struct Shape {
    pub caption: String,
    pub fields: Vec<Field>,
}

/// A property of a schema, or a parameter.
#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    /// Where a parameter stands (`path`, `query`, `header`); empty for a property.
    pub place: String,
    pub kind: Vec<Piece>,
    pub required: bool,
    pub description: Text,
    pub limits: String,
}

/// A piece of a type's name: words, or a link to a schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Words(String),
    Link(String),
}

/// Paragraphs of pieces; what stood between backticks is code.
pub(super) type Text = Vec<Vec<Span>>;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub text: String,
    pub code: bool,
}

impl Reference {
    /// Reads an OpenAPI 3.1 document. What it does not know it leaves out.
    pub(super) fn new(api: &Value) -> Self {
        let info = &api["info"];
        Self {
            title: words(&info["title"]),
            version: words(&info["version"]),
            intro: text(&info["description"]),
            sections: sections(api),
            schemas: entries(&api["components"]["schemas"])
                .map(|(name, value)| schema(name, value, api))
                .collect(),
        }
    }
}

fn sections(api: &Value) -> Vec<Section> {
    // Tags in the order in which the document lists them, then the others as they come.
    let mut sections: Vec<Section> = list(&api["tags"])
        .map(|tag| section(&words(&tag["name"]), tag))
        .collect();
    for (path, item) in entries(&api["paths"]) {
        for method in ["get", "post", "put", "patch", "delete", "head", "options"] {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let tag = operation["tags"][0].as_str().unwrap_or("Other");
            let at = sections
                .iter()
                .position(|section| section.name == tag)
                .unwrap_or_else(|| {
                    sections.push(section(tag, &Value::Null));
                    sections.len() - 1
                });
            sections[at]
                .operations
                .push(read_operation(method, path, operation, item, api));
        }
    }
    sections.retain(|section| !section.operations.is_empty());
    sections
}

fn section(name: &str, tag: &Value) -> Section {
    let id = format!("tag-{}", slug(name));
    Section {
        id,
        name: name.to_owned(),
        description: text(&tag["description"]),
        operations: Vec::new(),
    }
}

fn read_operation(method: &str, path: &str, operation: &Value, item: &Value, api: &Value) -> Operation {
    let method = method.to_uppercase();
    let id = operation["operationId"]
        .as_str()
        .map_or_else(|| slug(&format!("{method} {path}")), slug);
    let parameters: Vec<_> = list(&item["parameters"])
        .chain(list(&operation["parameters"]))
        .map(|parameter| read_parameter(resolve(parameter, api)))
        .collect();
    let content = entries(&operation["requestBody"]["content"]).next();
    let body = content.map(|(media_type, content)| Body {
        media_type: media_type.clone(),
        required: operation["requestBody"]["required"] == true,
        description: text(&operation["requestBody"]["description"]),
        schema: schema("", &content["schema"], api),
    });
    Operation {
        id: format!("op-{id}"),
        curl: curl(&method, path, operation, content, api),
        method,
        path: path.to_owned(),
        // A title, whether or not it was written as a sentence.
        summary: spans(words(&operation["summary"]).trim_end_matches('.')),
        description: text(&operation["description"]),
        deprecated: operation["deprecated"] == true,
        parameters,
        body,
        responses: entries(&operation["responses"])
            .map(|(status, response)| answer(status, resolve(response, api)))
            .collect(),
    }
}

fn read_parameter(parameter: &Value) -> Field {
    Field {
        name: words(&parameter["name"]),
        place: words(&parameter["in"]),
        kind: kind(&parameter["schema"]),
        required: parameter["required"] == true,
        description: text(if parameter["description"].is_string() {
            &parameter["description"]
        } else {
            described(&parameter["schema"])
        }),
        limits: limits(&parameter["schema"]),
    }
}

fn answer(status: &str, response: &Value) -> Answer {
    let content = entries(&response["content"]).next();
    Answer {
        status: status.to_owned(),
        description: text(&response["description"]),
        media_type: content.map(|(media_type, _)| media_type.clone()).unwrap_or_default(),
        kind: content.map(|(_, content)| kind(&content["schema"])).unwrap_or_default(),
    }
}

fn schema(name: &str, value: &Value, api: &Value) -> Schema {
    let resolved = resolve(value, api);
    let variants: Vec<&Value> = list(&resolved["oneOf"]).chain(list(&resolved["anyOf"])).collect();
    let mut shapes: Vec<_> = variants.iter().map(|variant| shape(variant, api)).collect();
    if variants.is_empty() {
        shapes.push(Shape {
            caption: "Fields".to_owned(),
            fields: fields(resolved, api),
        });
    }
    shapes.retain(|shape| !shape.fields.is_empty());
    Schema {
        name: name.to_owned(),
        description: text(&resolved["description"]),
        kind: if name.is_empty() { kind(value) } else { kind(resolved) },
        limits: limits(resolved),
        shapes,
    }
}

/// One of several shapes, called by what is said of it.
fn shape(variant: &Value, api: &Value) -> Shape {
    let said = words(&resolve(variant, api)["description"]).replace('`', "");
    Shape {
        caption: if said.is_empty() { "Fields".to_owned() } else { said },
        fields: fields(variant, api),
    }
}

/// The properties of an object, with those that it takes over from others (`allOf`).
fn fields(value: &Value, api: &Value) -> Vec<Field> {
    let value = resolve(value, api);
    let required: Vec<_> = list(&value["required"]).filter_map(Value::as_str).collect();
    let own = entries(&value["properties"]).map(|(name, property)| Field {
        name: name.clone(),
        place: String::new(),
        kind: kind(property),
        required: required.contains(&name.as_str()),
        description: text(described(property)),
        limits: limits(property),
    });
    list(&value["allOf"])
        .flat_map(|part| fields(part, api))
        .chain(own)
        .collect()
}

/// What is said of a property: of one that may be null it stands beside the type that it has else.
fn described(property: &Value) -> &Value {
    let alternatives = list(&property["oneOf"]).chain(list(&property["anyOf"]));
    let mut all = std::iter::once(property).chain(alternatives);
    all.find_map(|one| one.get("description")).unwrap_or(&Value::Null)
}

/// The name of a type: `list of Message`, `text (date-time)`, `number or null`.
fn kind(schema: &Value) -> Vec<Piece> {
    if let Some(reference) = schema["$ref"].as_str() {
        return vec![Piece::Link(reference.rsplit('/').next().unwrap_or_default().to_owned())];
    }
    let alternatives: Vec<_> = ["oneOf", "anyOf", "allOf"]
        .into_iter()
        .flat_map(|key| list(&schema[key]))
        .collect();
    if !alternatives.is_empty() {
        let word = if schema["allOf"].is_array() { " and " } else { " or " };
        return joined(alternatives.into_iter().map(kind), word);
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    joined(names.into_iter().map(|name| named(name, schema)), " or ")
}

fn named(name: &str, schema: &Value) -> Vec<Piece> {
    let one = |words: &str| vec![Piece::Words(words.to_owned())];
    match name {
        "array" => {
            let mut pieces = one("list of ");
            pieces.extend(kind(&schema["items"]));
            pieces
        }
        "object" if schema["additionalProperties"].is_object() => {
            let mut pieces = one("map of ");
            pieces.extend(kind(&schema["additionalProperties"]));
            pieces
        }
        "string" => one(&schema["format"]
            .as_str()
            .map_or_else(|| "text".into(), |format| format!("text ({format})"))),
        "integer" => one("whole number"),
        "boolean" => one("true or false"),
        other => one(other),
    }
}

/// Alternatives in a row, with a word between them; the same words do not stand twice.
fn joined(alternatives: impl Iterator<Item = Vec<Piece>>, word: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for alternative in alternatives {
        if pieces.is_empty() {
            pieces = alternative;
        } else if !alternative.iter().all(|piece| pieces.contains(piece)) {
            pieces.push(Piece::Words(word.to_owned()));
            pieces.extend(alternative);
        }
    }
    pieces
}

/// What a value is held to, in words: `a, b or c; at most 1000 characters; default 20`.
fn limits(schema: &Value) -> String {
    let mut said: Vec<String> = Vec::new();
    let values: Vec<_> = list(&schema["enum"])
        .chain(schema.get("const"))
        .map(ToString::to_string)
        .collect();
    if !values.is_empty() {
        said.push(values.join(", "));
    }
    let bounds = [
        ("minimum", "at least", ""),
        ("maximum", "at most", ""),
        ("minLength", "at least", " characters"),
        ("maxLength", "at most", " characters"),
        ("minItems", "at least", " entries"),
        ("maxItems", "at most", " entries"),
        ("pattern", "matches", ""),
        ("default", "default", ""),
    ];
    for (key, before, after) in bounds {
        if let Some(bound) = schema.get(key) {
            said.push(format!("{before} {bound}{after}"));
        }
    }
    said.join("; ")
}

/// A command that makes the call, for a POSIX shell.
fn curl(method: &str, path: &str, operation: &Value, content: Option<(&String, &Value)>, api: &Value) -> String {
    let mut line = String::from("curl");
    if method != "GET" {
        let _ = write!(line, " -X {method}");
    }
    // Braces would be curl's own pattern.
    let path = path.replace('{', "$").replace('}', "");
    let _ = write!(line, " \"$CAMPANILE_URL{path}\"");
    let security = operation.get("security").or_else(|| api.get("security"));
    if security.is_none_or(|schemes| list(schemes).any(|scheme| entries(scheme).next().is_some())) {
        line.push_str(" \\\n  -H \"Authorization: Bearer $CAMPANILE_TOKEN\"");
    }
    if let Some((media_type, content)) = content {
        let _ = write!(line, " \\\n  -H 'Content-Type: {media_type}'");
        let body = if media_type.ends_with("json") {
            let given = content.get("example").cloned();
            given
                .unwrap_or_else(|| example(&content["schema"], api, EXAMPLE_DEPTH))
                .to_string()
        } else {
            "@FILE".to_owned()
        };
        let _ = write!(line, " \\\n  --data-binary '{}'", body.replace('\'', r"'\''"));
    }
    line
}

/// A value that a schema allows: its own example where it has one, else the required fields alone.
fn example(schema: &Value, api: &Value, depth: usize) -> Value {
    let schema = resolve(schema, api);
    let given = schema
        .get("example")
        .or_else(|| schema.get("default"))
        .or_else(|| schema.get("const"));
    if let Some(given) = given
        .or_else(|| list(&schema["enum"]).next())
        .or_else(|| list(&schema["examples"]).next())
    {
        return given.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    let first = list(&schema["oneOf"])
        .chain(list(&schema["anyOf"]))
        .find(|variant| variant["type"] != "null");
    if let Some(first) = first {
        return example(first, api, depth - 1);
    }
    let name = schema["type"]
        .as_str()
        .or_else(|| schema["type"][0].as_str())
        .unwrap_or("object");
    match name {
        "string" => match schema["format"].as_str() {
            Some("date-time") => json!("2026-01-01T00:00:00Z"),
            Some("email") => json!("ann@example.com"),
            Some("uri") => json!("https://example.com"),
            _ => json!("text"),
        },
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => json!([example(&schema["items"], api, depth - 1)]),
        "object" => {
            let mut object = Map::new();
            for part in list(&schema["allOf"]) {
                if let Value::Object(fields) = example(part, api, depth - 1) {
                    object.extend(fields);
                }
            }
            for field in list(&schema["required"]).filter_map(Value::as_str) {
                object.insert(field.to_owned(), example(&schema["properties"][field], api, depth - 1));
            }
            Value::Object(object)
        }
        _ => Value::Null,
    }
}

/// What a `$ref` within the document points to, or the value itself.
fn resolve<'a>(value: &'a Value, api: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    target.and_then(|pointer| api.pointer(pointer)).unwrap_or(value)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn text(value: &Value) -> Text {
    let whole = value.as_str().unwrap_or_default();
    whole
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(spans)
        .collect()
}

fn spans(paragraph: &str) -> Vec<Span> {
    paragraph
        .split('`')
        .enumerate()
        .map(|(at, text)| Span {
            text: text.to_owned(),
            code: at % 2 == 1,
        })
        .filter(|span| !span.text.is_empty())
        .collect()
}

/// A name as an anchor: letters, digits and hyphens.
fn slug(name: &str) -> String {
    let hyphened: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let parts: Vec<_> = hyphened.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}
