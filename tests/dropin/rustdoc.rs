//! A crate's public items, as rustdoc's JSON tells them.
//!
//! Only what a comparison needs: a path, a kind, and for a function its signature, in a form that is the same for
//! two crates that mean the same. Lifetimes, names of arguments and ways to a type count for nothing.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A public item.
#[derive(Debug, Clone)]
pub struct Item {
    /// `struct`, `method`, and so on.
    pub kind: &'static str,
    /// What two crates must agree on; empty for what has no more than a name.
    pub signature: String,
    /// It belongs to another crate, of this name, and is only shown.
    pub of: Option<String>,
}

/// Public items by path: `Store`, `Store::new`, `component::Linker`.
pub type Items = BTreeMap<String, Item>;

/// Reads what rustdoc wrote.
pub fn items(json: &Value) -> Items {
    let mut walk = Walk { index: &json["index"], items: Items::new(), seen: BTreeSet::new() };
    walk.module(&json["root"], "");
    walk.items
}

struct Walk<'a> {
    index: &'a Value,
    items: Items,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Walk<'a> {
    fn get(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(id.to_string())
    }

    fn add(&mut self, path: String, kind: &'static str, signature: String) {
        self.items.entry(path).or_insert(Item { kind, signature, of: None });
    }

    fn module(&mut self, id: &Value, path: &str) {
        if !self.seen.insert((id.to_string(), path.to_string())) {
            return;
        }
        let Some(module) = self.get(id) else { return };
        for id in array(&module["inner"]["module"]["items"]) {
            self.item(id, path, None);
        }
    }

    fn item(&mut self, id: &Value, path: &str, rename: Option<&str>) {
        let Some(item) = self.get(id) else { return };
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else { return };
        if kind == "use" {
            return self.import(inner, path);
        }
        let Some(name) = rename.or(item["name"].as_str()) else { return };
        if hidden(item) {
            return;
        }
        let full = if path.is_empty() { name.to_string() } else { format!("{path}::{name}") };
        match kind.as_str() {
            "module" => {
                self.add(full.clone(), "mod", String::new());
                self.module(id, &full);
            }
            "struct" => {
                self.add(full.clone(), "struct", String::new());
                self.fields(&inner["kind"], &full);
                self.impls(&inner["impls"], &full);
            }
            "enum" => {
                self.add(full.clone(), "enum", String::new());
                for variant in array(&inner["variants"]) {
                    if let Some(name) = self.get(variant).and_then(|variant| variant["name"].as_str()) {
                        self.add(format!("{full}::{name}"), "variant", String::new());
                    }
                }
                self.impls(&inner["impls"], &full);
            }
            "trait" => {
                self.add(full.clone(), "trait", String::new());
                self.members(&inner["items"], &full, true);
            }
            "function" => self.add(full, "fn", signature(inner)),
            "type_alias" => self.add(full, "type", String::new()),
            "constant" | "static" => self.add(full, "const", String::new()),
            "macro" | "proc_macro" => self.add(full, "macro", String::new()),
            _ => {}
        }
    }

    fn import(&mut self, import: &Value, path: &str) {
        let source = import["source"].as_str().unwrap_or_default();
        let is_glob = import["is_glob"].as_bool().unwrap_or(false);
        let target = self.get(&import["id"]);
        match target {
            Some(target) if is_glob => {
                let inner = &target["inner"];
                let items =
                    if inner["enum"].is_object() { &inner["enum"]["variants"] } else { &inner["module"]["items"] };
                for id in array(items) {
                    self.item(id, path, None);
                }
            }
            Some(_) => self.item(&import["id"], path, import["name"].as_str()),
            None => {
                let name = import["name"].as_str().unwrap_or_default();
                let full = if path.is_empty() { name.to_string() } else { format!("{path}::{name}") };
                let of = source.split("::").next().unwrap_or_default().to_string();
                let item = Item { kind: "use", signature: String::new(), of: Some(of) };
                self.items.entry(full).or_insert(item);
            }
        }
    }

    fn fields(&mut self, kind: &Value, path: &str) {
        for id in array(&kind["plain"]["fields"]) {
            if let Some(field) = self.get(id).filter(|field| field["visibility"] == "public")
                && let Some(name) = field["name"].as_str()
            {
                self.add(format!("{path}::{name}"), "field", String::new());
            }
        }
    }

    /// Methods, and the traits that are implemented, as far as these are not automatic.
    fn impls(&mut self, impls: &Value, path: &str) {
        for id in array(impls) {
            let Some(item) = self.get(id) else { continue };
            let inner = &item["inner"]["impl"];
            match inner["trait"]["path"].as_str() {
                None => self.members(&inner["items"], path, false),
                Some(_) if inner["is_synthetic"] == true || !inner["blanket_impl"].is_null() => {}
                Some(name) => {
                    let own = format!("{}{}", last(name), generic_args(&inner["trait"]["args"]));
                    self.add(format!("{path}: {own}"), "impl", String::new());
                }
            }
        }
    }

    fn members(&mut self, members: &Value, path: &str, of_trait: bool) {
        for id in array(members) {
            let Some(item) = self.get(id) else { continue };
            let public = of_trait || item["visibility"] == "public";
            let Some(name) = item["name"].as_str().filter(|_| public && !hidden(item)) else { continue };
            let inner = &item["inner"];
            if inner["function"].is_object() {
                self.add(format!("{path}::{name}"), "method", signature(&inner["function"]));
            } else if inner["assoc_const"].is_object() {
                self.add(format!("{path}::{name}"), "const", String::new());
            } else if inner["assoc_type"].is_object() {
                self.add(format!("{path}::{name}"), "type", String::new());
            }
        }
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], |array| array)
}

/// Not part of the documentation.
fn hidden(item: &Value) -> bool {
    array(&item["attrs"]).iter().any(|attr| attr.to_string().contains("doc(hidden)"))
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// A function's signature: header, arguments, result.
fn signature(function: &Value) -> String {
    let header = &function["header"];
    let mut text = String::new();
    for word in ["is_unsafe", "is_async", "is_const"] {
        if header[word] == true && word != "is_const" {
            text += &format!("{} ", word.trim_start_matches("is_"));
        }
    }
    let inputs: Vec<String> = array(&function["sig"]["inputs"]).iter().map(|input| show(&input[1])).collect();
    text += &format!("({})", inputs.join(", "));
    if !function["sig"]["output"].is_null() {
        text += &format!(" -> {}", show(&function["sig"]["output"]));
    }
    text
}

/// A type.
fn show(ty: &Value) -> String {
    let Some((kind, inner)) = ty.as_object().and_then(|ty| ty.iter().next()) else { return String::new() };
    let list = |types: &Value| array(types).iter().map(show).collect::<Vec<_>>().join(", ");
    match kind.as_str() {
        "resolved_path" => format!("{}{}", last(inner["path"].as_str().unwrap_or("?")), generic_args(&inner["args"])),
        "generic" | "primitive" => inner.as_str().unwrap_or("?").to_string(),
        "borrowed_ref" => {
            format!("&{}{}", if inner["is_mutable"] == true { "mut " } else { "" }, show(&inner["type"]))
        }
        "raw_pointer" => {
            format!("*{} {}", if inner["is_mutable"] == true { "mut" } else { "const" }, show(&inner["type"]))
        }
        "tuple" => format!("({})", list(inner)),
        "slice" => format!("[{}]", show(inner)),
        "array" => format!("[{}; {}]", show(&inner["type"]), inner["len"].as_str().unwrap_or("_")),
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => {
            let traits: Vec<String> = array(&inner["traits"]).iter().map(|of| trait_path(&of["trait"])).collect();
            format!("dyn {}", traits.join(" + "))
        }
        "qualified_path" => {
            format!("<{}>::{}", show(&inner["self_type"]), inner["name"].as_str().unwrap_or_default())
        }
        "function_pointer" => format!("fn{}", signature(inner)),
        _ => kind.clone(),
    }
}

fn bounds(bounds: &Value) -> String {
    let mut traits: Vec<String> = array(bounds)
        .iter()
        .filter_map(|bound| {
            let of = &bound["trait_bound"];
            of.is_object().then(|| format!("{}{}", maybe(of), trait_path(&of["trait"])))
        })
        .collect();
    traits.sort();
    traits.join(" + ")
}

fn maybe(bound: &Value) -> &'static str {
    if bound["modifier"] == "maybe" { "?" } else { "" }
}

fn trait_path(of: &Value) -> String {
    format!("{}{}", last(of["path"].as_str().unwrap_or("?")), generic_args(&of["args"]))
}

fn generic_args(args: &Value) -> String {
    let inner = &args["angle_bracketed"];
    if inner.is_object() {
        let mut list: Vec<String> = array(&inner["args"])
            .iter()
            .filter_map(|arg| {
                let ty = &arg["type"];
                if ty.is_object() { Some(show(ty)) } else { arg["const"]["expr"].as_str().map(str::to_string) }
            })
            .collect();
        list.extend(array(&inner["constraints"]).iter().map(|constraint| {
            let to = &constraint["binding"]["equality"]["type"];
            format!("{} = {}", constraint["name"].as_str().unwrap_or_default(), show(to))
        }));
        return if list.is_empty() { String::new() } else { format!("<{}>", list.join(", ")) };
    }
    let inner = &args["parenthesized"];
    if inner.is_object() {
        let inputs: Vec<String> = array(&inner["inputs"]).iter().map(show).collect();
        let output = if inner["output"].is_null() { String::new() } else { format!(" -> {}", show(&inner["output"])) };
        return format!("({}){output}", inputs.join(", "));
    }
    String::new()
}
