//! `(thread …)` and `(wait …)`: scripts of the threads proposal, parts of which run at the same time.
//!
//! A thread has a store and names of its own. Of the module that it shares with the script it can import, and register, what
//! stores can share, which are memories. How its directives went is told when it is waited for, or at the end of the script.

use super::Scripts;
use super::script::{Done, Script, is_assertion};
use crate::api::{Instance, Linker, Result, SharedMemory, Store};
use crate::cli::settings::HOST_STACK;
use std::collections::BTreeMap;
use std::thread::{Scope, ScopedJoinHandle};
use wasmtime::error::Context;
use wasmtime::{bail, format_err};
use wast::token::Id;
use wast::{WastDirective, WastThread};

/// The memories that the module exports which a thread shares with its script, and the module's name there.
pub(super) struct Shared {
    pub name: String,
    pub memories: Vec<(String, SharedMemory)>,
}

impl Shared {
    fn of(store: &mut Store<()>, name: &str, instance: Instance) -> Shared {
        let exports = instance.exports(store).filter_map(|export| {
            let name = export.name().to_string();
            Some((name, export.into_extern().into_shared_memory()?))
        });
        Shared { name: name.to_string(), memories: exports.collect() }
    }

    /// Makes them what modules import from a name.
    pub(super) fn define(&self, name: &str, store: &Store<()>, linker: &mut Linker<()>) -> Result<()> {
        for (export, memory) in &self.memories {
            linker.define(store, name, export, memory.clone())?;
        }
        Ok(())
    }
}

/// Runs directives, in threads where they say so, and tells `done` of each.
pub(super) fn run(script: &mut Script<'_>, directives: Vec<WastDirective<'_>>, done: &mut dyn FnMut(Done)) {
    let scripts = script.scripts.clone();
    std::thread::scope(|scope| {
        let mut threads = Threads { scope, scripts: &scripts, running: BTreeMap::new() };
        for directive in directives {
            let (span, assertion) = (directive.span(), is_assertion(&directive));
            let result = match directive {
                WastDirective::Thread(thread) => threads.start(script, thread),
                WastDirective::Wait { thread, .. } => threads.wait(thread, done),
                directive => script.directive(directive),
            };
            done(Done { span, assertion, result });
        }
        for (name, (thread, span)) in std::mem::take(&mut threads.running) {
            if let Err(err) = join(&name, thread, done) {
                done(Done { span, assertion: false, result: Err(err) });
            }
        }
    });
}

/// Threads that nobody has waited for yet.
struct Threads<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    scripts: &'env Scripts<'env>,
    running: BTreeMap<String, (Running<'scope>, wast::token::Span)>,
}

/// What a thread's directives came to, unless it could not begin.
type Running<'scope> = ScopedJoinHandle<'scope, Result<Vec<Done>>>;

impl<'env> Threads<'_, 'env> {
    fn start(&mut self, script: &mut Script<'_>, thread: WastThread<'env>) -> Result<()> {
        let name = thread.name.name().to_string();
        if self.running.contains_key(&name) {
            bail!("thread ${name} is running already");
        }
        let shared = match thread.shared_module {
            Some(id) => {
                let instance = script.instance(Some(id))?;
                Some(Shared::of(&mut script.store, id.name(), instance))
            }
            None => None,
        };
        let (scripts, span) = (self.scripts, thread.span);
        let body = move || {
            let mut script = Script::of_thread(scripts, shared)?;
            let mut outcomes = Vec::new();
            run(&mut script, thread.directives, &mut |done| outcomes.push(done));
            Ok(outcomes)
        };
        let stack = scripts.engine.get_max_wasm_stack().saturating_add(HOST_STACK);
        let running = std::thread::Builder::new().stack_size(stack).spawn_scoped(self.scope, body)?;
        self.running.insert(name, (running, span));
        Ok(())
    }

    fn wait(&mut self, thread: Id<'_>, done: &mut dyn FnMut(Done)) -> Result<()> {
        let name = thread.name();
        let (running, _) = self.running.remove(name).with_context(|| format!("no thread ${name} is running"))?;
        join(name, running, done)
    }
}

fn join(name: &str, thread: Running<'_>, done: &mut dyn FnMut(Done)) -> Result<()> {
    let outcomes = thread.join().map_err(|_| format_err!("thread ${name} has panicked"))??;
    outcomes.into_iter().for_each(done);
    Ok(())
}
