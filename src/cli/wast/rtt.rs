//! Scripts whose modules are of the dialect of explicit RTTs.
//!
//! `wast` can not read the modules, but the rest of a script is what it always was. So the script is taken apart form
//! by form: modules go to the dialect's front end, and every other directive is read by `wast`.

use super::script::{Script, is_assertion};
use super::{Failure, Report, Scripts, traps};
use crate::api::{Module, Result};
use crate::rtt::text::tokens::{Cursor, Tokens};
use wasmtime::error::Context;
use wasmtime::{bail, format_err};
use wast::parser::ParseBuffer;

/// Runs a script.
pub(super) fn run(scripts: &Scripts<'_>, path: &str, text: &str) -> Result<Report> {
    let tokens = Tokens::new(text)?;
    let mut rest = tokens.cursor();
    let mut report = Report { path: path.to_string(), ..Report::default() };
    let mut runner = Runner { scripts, script: Script::new(scripts)? };
    while !rest.is_empty() {
        let (offset, form) = (rest.offset(), rest);
        rest.skip_form();
        let (assertion, result) = runner.directive(form);
        report.assertions += usize::from(assertion);
        match result {
            Ok(()) => report.passed += usize::from(assertion),
            Err(err) => {
                let line = text.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count() + 1;
                let message = format!("{err:#}").replace('\n', "\n    ");
                report.failures.push(Failure { line, message });
            }
        }
    }
    report.heap = runner.script.store.heap_stats();
    Ok(report)
}

struct Runner<'s> {
    scripts: &'s Scripts<'s>,
    script: Script<'s>,
}

impl Runner<'_> {
    /// Runs a directive: whether it is an assertion, and how it went.
    fn directive(&mut self, form: Cursor<'_, '_>) -> (bool, Result<()>) {
        let word = form.peek_form().unwrap_or_default();
        let result = match word {
            "module" => self.module(form),
            "assert_invalid" | "assert_malformed" => self.invalid(form),
            "assert_unlinkable" => self.unlinkable(form),
            _ => return self.other(form),
        };
        (word != "module", result)
    }

    fn module(&mut self, form: Cursor<'_, '_>) -> Result<()> {
        let mut inside = form;
        let mut inside = inside.form()?;
        inside.skip();
        let name = inside.id()?.map(|name| name.into_owned());
        let module = self.compile(form)?;
        self.script.instantiate(name, module)
    }

    fn compile(&self, form: Cursor<'_, '_>) -> Result<Module> {
        let mut inside = form;
        let mut inside = inside.form()?;
        inside.skip();
        inside.id()?;
        if inside.eat("binary") {
            let mut bytes = Vec::new();
            while !inside.is_empty() {
                bytes.extend_from_slice(&inside.string()?);
            }
            // What does not begin like a binary would be read as text.
            if !bytes.starts_with(b"\0asm") {
                let message = "magic header not detected".to_string();
                return Err(crate::fault::Error::Invalid { offset: 0, message }.into());
            }
            return self.compile_bytes(&bytes);
        }
        let text = match inside.eat("quote") {
            false => form.text().to_string(),
            true => {
                let mut text = String::new();
                while !inside.is_empty() {
                    text += &inside.name()?;
                    text.push('\n');
                }
                text
            }
        };
        self.compile_bytes(text.as_bytes())
    }

    fn compile_bytes(&self, bytes: &[u8]) -> Result<Module> {
        let Scripts { engine, dialect, ahead_of_time, .. } = *self.scripts;
        if !ahead_of_time {
            return Module::with_dialect(engine, bytes, dialect);
        }
        let compiled = engine.precompile_with_dialect(bytes, dialect)?;
        #[expect(unsafe_code, reason = "machine code can not be checked")]
        // SAFETY: the bytes were just made by that.
        unsafe {
            Module::deserialize(engine, compiled)
        }
    }

    fn invalid(&self, form: Cursor<'_, '_>) -> Result<()> {
        let mut inside = form;
        let mut inside = inside.form()?;
        inside.skip();
        match self.compile(inside) {
            Ok(_) => bail!("expected the module to be invalid"),
            Err(err) => traps::expect_invalid(&err).map_err(|why| format_err!("{why}")),
        }
    }

    fn unlinkable(&mut self, form: Cursor<'_, '_>) -> Result<()> {
        let mut inside = form;
        let mut inside = inside.form()?;
        inside.skip();
        let module = self.compile(inside)?;
        inside.skip_form();
        let message = inside.name()?;
        match self.script.instantiate(None, module) {
            Ok(()) => bail!("expected a failure to link"),
            Err(err) => self.script.unlinkable(&err, &message).map_err(|why| format_err!("{why}")),
        }
    }

    /// What has no module of the dialect in it.
    fn other(&mut self, form: Cursor<'_, '_>) -> (bool, Result<()>) {
        let parsed = ParseBuffer::new(form.text())
            .and_then(|buffer| {
                // The directive borrows the buffer, so it runs here.
                let script = wast::parser::parse::<wast::Wast<'_>>(&buffer)?;
                let mut outcome = (false, Ok(()));
                for directive in script.directives {
                    outcome = (is_assertion(&directive), self.script.directive(directive));
                }
                Ok(outcome)
            })
            .context("a directive that can not be read");
        parsed.unwrap_or_else(|err| (true, Err(err)))
    }
}
