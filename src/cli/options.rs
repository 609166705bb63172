//! Option groups: `-W key[=value][,key[=value]…]` and its sisters.
//!
//! A group is a table of entries (see `tables`); an entry has a name, a help text and what it does to
//! the settings. Parsing checks names and values, so errors come out as clap's do: wrong use. Later options win over
//! earlier ones.

use super::config_file;
use super::guest_profile::Samples;
use super::settings::Settings;
use super::tables::{ALL_PROPOSALS, CODEGEN, DEBUG, OPTIMIZE, WASI, WASM};
use crate::api::Dialect;
use crate::api::ext::CallProfile;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::ProfilingStrategy;
use wasmtime::bail;
use wasmtime::error::Context;

/// Options that all commands have. They may stand before the name of the command as well.
#[derive(Args, Clone, Default)]
pub struct Common {
    /// Optimization and tuning; `-O help` lists them
    #[arg(short = 'O', long = "optimize", value_name = "KEY[=VAL[,..]]", value_parser = |s: &str| OPTIMIZE.parse(s))]
    optimize: Vec<Assignments>,
    /// Code generation; `-C help` lists them
    #[arg(short = 'C', long = "codegen", value_name = "KEY[=VAL[,..]]", value_parser = |s: &str| CODEGEN.parse(s))]
    codegen: Vec<Assignments>,
    /// Debugging; `-D help` lists them
    #[arg(short = 'D', long = "debug", value_name = "KEY[=VAL[,..]]", value_parser = |s: &str| DEBUG.parse(s))]
    debug: Vec<Assignments>,
    /// Semantics of WebAssembly and limits; `-W help` lists them
    #[arg(short = 'W', long = "wasm", value_name = "KEY[=VAL[,..]]", value_parser = |s: &str| WASM.parse(s))]
    wasm: Vec<Assignments>,
    /// Compiles for this target; `pulley64` is an interpreter
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// Tells a profiler the names of functions: `perfmap`, `jitdump` or `vtune`. Or samples what `run` runs:
    /// `guest[,PATH[,INTERVAL]]`. Or compiles for the calls in FILE, which `run --profile-calls` has written
    #[arg(long, value_name = "STRATEGY|FILE", value_parser = profile)]
    profile: Vec<Profile>,
    /// Reads text in this language: `rtt2020` is the GC proposal with explicit RTTs, as it was from 2018 to 2021,
    /// `rtt2020-slides` the same with null as on the slides of 2020
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    dialect: Option<Dialect>,
    /// WASI; `-S help` lists them
    #[arg(short = 'S', long = "wasi", value_name = "KEY[=VAL[,..]]", value_parser = |s: &str| WASI.parse(s))]
    wasi: Vec<Assignments>,
    /// Takes options from a TOML file, which has tables `optimize`, `codegen`, `debug`, `wasm` and `wasi`; those of the
    /// command line win over them as later ones do
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Common {
    /// These options, then those.
    pub fn then(mut self, later: Common) -> Common {
        self.optimize.extend(later.optimize);
        self.codegen.extend(later.codegen);
        self.debug.extend(later.debug);
        self.wasm.extend(later.wasm);
        self.wasi.extend(later.wasi);
        self.target = later.target.or(self.target);
        self.profile.extend(later.profile);
        self.dialect = later.dialect.or(self.dialect);
        self.config = later.config.or(self.config);
        self
    }

    /// The list of options that was asked for by `help`, if any.
    pub fn help(&self) -> Option<String> {
        self.assignments().find_map(|a| match a {
            Assignment::Help(group) => Some(group.list()),
            Assignment::Set(..) => None,
        })
    }

    /// What the options mean to a command that runs nothing that could be sampled.
    ///
    /// # Errors
    ///
    /// As [`Common::settings_of_run`]; and `--profile=guest`.
    pub(crate) fn settings(&self) -> crate::api::Result<Settings> {
        let settings = self.settings_of_run()?;
        if settings.samples.is_some() {
            bail!("`--profile=guest` is an option of `run`");
        }
        Ok(settings)
    }

    /// What the options mean.
    ///
    /// # Errors
    ///
    /// A target that is not supported, a cache that can not be configured, or a file of options that can not be read.
    pub(crate) fn settings_of_run(&self) -> crate::api::Result<Settings> {
        let mut settings = Settings::new();
        settings.dialect = self.dialect.unwrap_or_default();
        if let Some(target) = &self.target {
            settings.config.target(target)?;
        }
        for profile in &self.profile {
            match profile {
                Profile::Strategy(strategy) => {
                    settings.config.profiler(*strategy);
                }
                Profile::Guest(samples) => {
                    settings.config.epoch_interruption(true);
                    settings.samples = Some(samples.clone());
                }
                Profile::Calls(profile) => {
                    settings.config.gc_call_profile(profile);
                    settings.call_profiles.push(profile.clone());
                }
            }
        }
        let of_file = self.config.as_deref().map(config_file::read).transpose()?.unwrap_or_default();
        let set = || {
            of_file.iter().chain(self.assignments()).filter_map(|assignment| match assignment {
                Assignment::Set(group, entry, value) => Some((group, entry, value)),
                Assignment::Help(_) => None,
            })
        };
        let (first, rest) = (
            set().filter(|(_, entry, _)| entry.name == ALL_PROPOSALS),
            set().filter(|(_, entry, _)| entry.name != ALL_PROPOSALS),
        );
        for (group, entry, value) in first.chain(rest) {
            if *value != Value::Flag(false) {
                settings.asked.push((group.letter, entry.name));
            }
            (entry.apply)(&mut settings, value).map_err(|why| wasmtime::format_err!("{}: {why}", entry.name))?;
        }
        settings.complete()?;
        Ok(settings)
    }

    fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        [&self.optimize, &self.codegen, &self.debug, &self.wasm, &self.wasi].into_iter().flatten().flat_map(|a| &a.0)
    }
}

/// What `--profile` says.
#[derive(Clone)]
enum Profile {
    Strategy(ProfilingStrategy),
    Guest(Samples),
    Calls(CallProfile),
}

fn profile(name: &str) -> Result<Profile, String> {
    Ok(Profile::Strategy(match name {
        "perfmap" => ProfilingStrategy::PerfMap,
        "jitdump" => ProfilingStrategy::JitDump,
        "vtune" => ProfilingStrategy::VTune,
        "guest" => return Samples::parse("").map(Profile::Guest),
        guest if guest.starts_with("guest,") => return Samples::parse(&guest["guest,".len()..]).map(Profile::Guest),
        path => return call_profile(path).map(Profile::Calls).map_err(|err| format!("{err:#}")),
    }))
}

fn call_profile(path: &str) -> crate::api::Result<CallProfile> {
    let json = std::fs::read_to_string(path).with_context(|| {
        format!(
            "`{path}` is no profiling strategy (`perfmap`, `jitdump`, `vtune` and `guest` are), and can not be read as a file of \
             `run --profile-calls`"
        )
    })?;
    CallProfile::from_json(&json).with_context(|| format!("failed to read the profile {path:?}"))
}

fn dialect(name: &str) -> Result<Dialect, String> {
    match name {
        "standard" => Ok(Dialect::Standard),
        "rtt2020" => Ok(Dialect::Rtt2020),
        "rtt2020-slides" => Ok(Dialect::Rtt2020Slides),
        _ => Err("`standard`, `rtt2020` and `rtt2020-slides` are supported".to_string()),
    }
}

/// The options of one `-W …`.
#[derive(Clone)]
pub(crate) struct Assignments(Vec<Assignment>);

/// One of them.
#[derive(Clone)]
pub(super) enum Assignment {
    Set(&'static Group, &'static Entry, Value),
    Help(&'static Group),
}

/// A letter with its options.
pub(crate) struct Group {
    pub(crate) letter: char,
    pub(crate) long: &'static str,
    pub(crate) entries: &'static [Entry],
}

/// One option.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) help: &'static str,
    /// Changes the settings, and nothing else, or says why the option has no such value.
    pub(crate) apply: fn(&mut Settings, &Value) -> Result<(), String>,
}

/// What kind of value an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or `y` or `n`.
    Flag,
    /// A number: decimal, or hexadecimal after `0x`. `_` may stand anywhere in it.
    Number,
    /// A number of bytes: like a number; `k`, `m` or `g` may follow and count 1024-fold.
    Bytes,
    /// A whole number of seconds, or of what follows it: `s`, `ms`, `us` or `ns`.
    Time,
    /// One of these words; `y` if there is none.
    Choice(&'static str),
    /// Text, of this form.
    Word(&'static str),
}

/// The value that was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Flag(bool),
    Number(u64),
    Time(Duration),
    Word(String),
}

impl Value {
    /// Of a [`Takes::Flag`].
    pub(crate) fn flag(&self) -> bool {
        matches!(self, Value::Flag(true))
    }

    /// Of a [`Takes::Number`] or [`Takes::Bytes`].
    pub(crate) fn number(&self) -> u64 {
        if let Value::Number(n) = self { *n } else { 0 }
    }

    /// Of a number that must fit a `usize`.
    pub(crate) fn size(&self) -> Result<usize, String> {
        usize::try_from(self.number()).map_err(|_| "value is too large".to_string())
    }

    /// Of a number that must fit a `u32`.
    pub(crate) fn count(&self) -> Result<u32, String> {
        u32::try_from(self.number()).map_err(|_| "value is too large".to_string())
    }

    /// Of a [`Takes::Time`].
    pub(crate) fn time(&self) -> Duration {
        if let Value::Time(time) = self { *time } else { Duration::ZERO }
    }

    /// Of a [`Takes::Word`] or [`Takes::Choice`].
    pub(crate) fn word(&self) -> &str {
        if let Value::Word(w) = self { w } else { "" }
    }
}

impl Group {
    /// Parses `key[=value][,…]`.
    fn parse(&'static self, text: &str) -> Result<Assignments, String> {
        text.split(',').map(|one| self.parse_one(one)).collect::<Result<_, _>>().map(Assignments)
    }

    fn parse_one(&'static self, text: &str) -> Result<Assignment, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name == "help" || name == "help-long" {
            return Ok(Assignment::Help(self));
        }
        self.assign(name, value)
    }

    /// Gives an option a value.
    pub(super) fn assign(&'static self, name: &str, value: Option<&str>) -> Result<Assignment, String> {
        let Some(entry) = self.entries.iter().find(|e| e.name == name) else {
            return Err(format!("unknown -{} / --{} option: {name}", self.letter, self.long));
        };
        let value = entry.takes.parse(value).and_then(|value| {
            // Whether it is one of those that the option has is known where it is applied.
            (entry.apply)(&mut Settings::new(), &value)?;
            Ok(value)
        });
        Ok(Assignment::Set(self, entry, value.map_err(|e| format!("failed to parse {name} option: {e}"))?))
    }

    /// What `-W help` prints.
    fn list(&self) -> String {
        let mut text = format!("Available {} options:\n\n", self.long);
        for entry in self.entries {
            let key = format!("{}{}", entry.name, entry.takes.form());
            // Writing to a string can not fail.
            let _ = writeln!(text, "  -{} {key:>38} -- {}", self.letter, entry.help);
        }
        text
    }
}

impl Takes {
    fn form(self) -> String {
        match self {
            Takes::Flag => "[=y|n]".to_string(),
            Takes::Number | Takes::Bytes => "=N".to_string(),
            Takes::Time => "=N|Ns|Nms|..".to_string(),
            Takes::Choice(words) => format!("[={words}]"),
            Takes::Word(form) => format!("={form}"),
        }
    }

    fn parse(self, value: Option<&str>) -> Result<Value, String> {
        match (self, value) {
            (Takes::Flag, None | Some("y" | "yes" | "true")) => Ok(Value::Flag(true)),
            (Takes::Flag, Some("n" | "no" | "false")) => Ok(Value::Flag(false)),
            (Takes::Flag, Some(s)) => Err(format!("unknown boolean flag `{s}`, only yes,no,<nothing> accepted")),
            (Takes::Choice(_), value) => Ok(Value::Word(value.unwrap_or("y").to_string())),
            (_, None) => Err(format!("must be specified with `{}`", self.form().trim_start_matches('='))),
            (Takes::Number, Some(s)) => number(s).map(Value::Number),
            (Takes::Bytes, Some(s)) => bytes(s).map(Value::Number),
            (Takes::Time, Some(s)) => time(s).map(Value::Time),
            (Takes::Word(_), Some(s)) => Ok(Value::Word(s.to_string())),
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|e| format!("`{text}` is not a number: {e}"))
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.chars().last() {
        _ if text.starts_with("0x") => (text, 0),
        Some('k' | 'K') => (&text[..text.len() - 1], 10),
        Some('m' | 'M') => (&text[..text.len() - 1], 20),
        Some('g' | 'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    number(digits)?.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

/// What stands behind a number of such times.
type Unit = (&'static str, fn(u64) -> Duration);

/// What is written like the value of a [`Takes::Time`].
pub(super) fn time(text: &str) -> Result<Duration, String> {
    const UNITS: [Unit; 6] = [
        ("", Duration::from_secs),
        ("s", Duration::from_secs),
        ("ms", Duration::from_millis),
        ("us", Duration::from_micros),
        ("μs", Duration::from_micros),
        ("ns", Duration::from_nanos),
    ];
    let in_unit = |(unit, of): &Unit| Some(of(text.strip_suffix(unit)?.parse().ok()?));
    UNITS.iter().find_map(in_unit).ok_or_else(|| {
        format!("`{text}` is no time; write a whole number of seconds, or one that `s`, `ms`, `us` or `ns` follows")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(group: &'static Group, text: &str) -> String {
        group.parse(text).err().unwrap_or_default()
    }

    #[test]
    fn unknown_names_and_bad_values_are_errors() {
        assert_eq!(error(&WASM, "shiny"), "unknown -W / --wasm option: shiny");
        assert!(error(&WASM, "gc=maybe").contains("unknown boolean flag `maybe`"));
        assert!(error(&WASM, "fuel").contains("must be specified with `N`"));
        for bad in ["ten", "0X10", "1k", "", "-1", "18446744073709551616"] {
            assert!(error(&WASM, &format!("fuel={bad}")).contains("not a number"), "{bad}");
        }
        for bad in ["0.1s", "10m", "1s500ms", "s", "", "-1s", "1_000ms"] {
            assert!(error(&WASM, &format!("timeout={bad}")).contains("is no time"), "{bad}");
        }
    }

    #[test]
    fn later_options_win() {
        let parse = |text| Common { wasm: vec![WASM.parse(text).unwrap()], ..Common::default() };
        let settings = parse("fuel=1,fuel=0x1_0").then(parse("trap-on-grow-failure")).settings().unwrap();
        assert_eq!(settings.fuel, Some(16));
        assert!(settings.trap_on_grow_failure);
    }

    #[test]
    fn bytes_have_suffixes() {
        assert_eq!(bytes("3k"), Ok(3 << 10));
        assert_eq!(bytes("2M"), Ok(2 << 20));
        assert_eq!((bytes("0x1000"), bytes("1_0k")), (Ok(4096), Ok(10 << 10)));
        assert!(bytes("k").is_err() && bytes("").is_err() && bytes("99999999999g").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(time("2"), Ok(Duration::from_secs(2)));
        assert_eq!(time("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(time("2ms"), Ok(Duration::from_millis(2)));
        assert_eq!(time("2us"), Ok(Duration::from_micros(2)));
        assert_eq!(time("2ns"), Ok(Duration::from_nanos(2)));
    }

    #[test]
    fn names_are_unique_and_every_value_is_handled() {
        for group in [&OPTIMIZE, &CODEGEN, &DEBUG, &WASM, &WASI] {
            let mut names: Vec<_> = group.entries.iter().map(|e| e.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), group.entries.len());
            assert!(group.list().lines().count() == names.len() + 2);
        }
    }
}
