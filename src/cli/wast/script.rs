//! Runs the directives of one script.
//!
//! Every `assert_…` directive is an assertion, as the test suite counts them. A directive that is not
//! an assertion and fails is a failure of the script too, but does not count among the assertions.

use super::threads::{self, Shared};
use super::{Scripts, spectest, traps, values};
use crate::api::{Caller, Error, Func, Instance, Linker, Module, Result, Store, Val};
use std::collections::HashMap;
use std::sync::mpsc::Sender;
use wasmtime::error::Context;
use wasmtime::{bail, format_err};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

/// How a directive went.
pub(super) struct Done {
    pub span: wast::token::Span,
    pub assertion: bool,
    pub result: Result<()>,
}

/// A script that is running: one store, and what the script has named.
pub(super) struct Script<'e> {
    pub(super) scripts: Scripts<'e>,
    pub(super) store: Store<()>,
    linker: Linker<()>,
    modules: HashMap<String, Module>,
    instances: HashMap<String, Instance>,
    last_module: Option<Module>,
    last_instance: Option<Instance>,
    /// In a thread: what it has of the script.
    shared: Option<Shared>,
    /// Interrupts the store in time, until this is dropped.
    _interrupt: Option<Sender<()>>,
}

impl<'e> Script<'e> {
    /// A script that has run nothing yet.
    pub(super) fn new(scripts: &Scripts<'e>) -> Result<Script<'e>> {
        let engine = scripts.engine;
        let (mut store, interrupt) = scripts.store()?;
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        spectest::link(engine, &mut linker, &mut store)?;
        if scripts.builtins {
            linker.func_wrap("wasmtime", "gc", |mut caller: Caller<'_, ()>| caller.gc(None))?;
        }
        Ok(Script {
            scripts: scripts.clone(),
            store,
            linker,
            modules: HashMap::new(),
            instances: HashMap::new(),
            last_module: None,
            last_instance: None,
            shared: None,
            _interrupt: interrupt,
        })
    }

    /// The same for a thread of another script.
    pub(super) fn of_thread(scripts: &Scripts<'e>, shared: Option<Shared>) -> Result<Script<'e>> {
        let mut script = Script::new(scripts)?;
        if let Some(shared) = &shared {
            shared.define(&shared.name, &script.store, &mut script.linker)?;
        }
        script.shared = shared;
        Ok(script)
    }

    /// Runs all directives, and tells `done` of each.
    pub(super) fn run(&mut self, script: Wast<'_>, mut done: impl FnMut(Done)) {
        threads::run(self, script.directives, &mut done);
    }

    pub(super) fn directive(&mut self, directive: WastDirective<'_>) -> Result<()> {
        match directive {
            WastDirective::Module(mut module) => self.module(&mut module),
            WastDirective::ModuleDefinition(mut module) => self.define(&mut module),
            WastDirective::ModuleInstance { instance, module, .. } => self.instantiate_named(instance, module),
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(call) => self.invoke_alone(&call),
            WastDirective::AssertReturn { exec, results, .. } => self.assert_return(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => self.assert_trap(exec, message),
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.assert_trap(WastExecute::Invoke(call), message)
            }
            WastDirective::AssertException { exec, .. } => self.assert_exception(exec),
            WastDirective::AssertInvalid { mut module, .. } | WastDirective::AssertMalformed { mut module, .. } => {
                self.assert_invalid(&mut module)
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                let err = self.fails(WastExecute::Wat(module))?;
                expect(self.unlinkable(&err, message))
            }
            WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
                bail!("assertions about custom sections are not supported")
            }
            WastDirective::AssertSuspension { .. } => bail!("stack switching is not supported"),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                bail!("threads in scripts of this dialect are not supported")
            }
        }
    }

    /// `(module …)`: becomes the current instance, and can be named.
    fn module(&mut self, module: &mut QuoteWat<'_>) -> Result<()> {
        let name = module.name();
        let compiled = self.compile(module)?;
        let instance = self.linker.instantiate(&mut self.store, &compiled)?;
        if let Some(name) = name {
            self.modules.insert(name.name().to_string(), compiled.clone());
        }
        self.last_module = Some(compiled);
        self.set_instance(name.map(|id| id.name()), instance)
    }

    /// Makes an instance of a compiled module the current one.
    pub(super) fn instantiate(&mut self, name: Option<String>, compiled: Module) -> Result<()> {
        let instance = self.linker.instantiate(&mut self.store, &compiled)?;
        if let Some(name) = &name {
            self.modules.insert(name.clone(), compiled.clone());
        }
        self.last_module = Some(compiled);
        self.set_instance(name.as_deref(), instance)
    }

    /// `(module definition …)`: compiled, not instantiated.
    fn define(&mut self, module: &mut QuoteWat<'_>) -> Result<()> {
        let name = module.name();
        let compiled = self.compile(module)?;
        if let Some(name) = name {
            self.modules.insert(name.name().to_string(), compiled.clone());
        }
        self.last_module = Some(compiled);
        Ok(())
    }

    /// `(module instance $instance $module)`.
    fn instantiate_named(&mut self, instance: Option<Id<'_>>, module: Option<Id<'_>>) -> Result<()> {
        let module = match module {
            Some(id) => self.modules.get(id.name()),
            None => self.last_module.as_ref(),
        };
        let module = module.context("no such module")?.clone();
        let created = self.linker.instantiate(&mut self.store, &module)?;
        self.set_instance(instance.map(|id| id.name()), created)
    }

    /// Makes an instance the current one. By its name it can be imported from, too, as in Wasmtime's scripts.
    fn set_instance(&mut self, name: Option<&str>, instance: Instance) -> Result<()> {
        self.last_instance = Some(instance);
        if let Some(name) = name {
            self.instances.insert(name.to_string(), instance);
            self.linker.instance(&mut self.store, name, instance)?;
        }
        Ok(())
    }

    /// `(register …)`: the name is one of instances, too, as with Wasmtime's.
    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Result<()> {
        if let Some(shared) = &self.shared
            && module.is_some_and(|id| id.name() == shared.name)
        {
            return shared.define(name, &self.store, &mut self.linker);
        }
        let instance = self.instance(module)?;
        self.instances.insert(name.to_string(), instance);
        self.linker.instance(&mut self.store, name, instance)?;
        Ok(())
    }

    /// The instance of a name, or the current one.
    pub(super) fn instance(&self, name: Option<Id<'_>>) -> Result<Instance> {
        match name {
            Some(id) => self.instances.get(id.name()).copied().with_context(|| format!("no instance ${}", id.name())),
            None => self.last_instance.context("no module has been instantiated"),
        }
    }

    fn compile(&self, module: &mut QuoteWat<'_>) -> Result<Module> {
        let wasm = encode(module)?;
        let engine = self.scripts.engine;
        if !self.scripts.ahead_of_time {
            return Module::new(engine, wasm);
        }
        let compiled = engine.precompile_module(&wasm)?;
        #[expect(unsafe_code, reason = "machine code can not be checked")]
        // SAFETY: the engine has just made it.
        unsafe {
            Module::deserialize(engine, compiled)
        }
    }

    /// Runs what an assertion is about; gives its results.
    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Vec<Val>> {
        match exec {
            WastExecute::Invoke(call) => self.invoke(&call),
            WastExecute::Wat(wat) => {
                let module = self.compile(&mut QuoteWat::Wat(wat))?;
                self.linker.instantiate(&mut self.store, &module)?;
                Ok(Vec::new())
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let global = instance
                    .get_global(&mut self.store, global)
                    .with_context(|| format!("no exported global `{global}`"))?;
                Ok(vec![global.get(&mut self.store)])
            }
        }
    }

    fn function(&mut self, call: &WastInvoke<'_>) -> Result<Func> {
        let instance = self.instance(call.module)?;
        let func = instance.get_func(&mut self.store, call.name);
        func.with_context(|| format!("no exported function `{}`", call.name))
    }

    fn invoke(&mut self, call: &WastInvoke<'_>) -> Result<Vec<Val>> {
        let func = self.function(call)?;
        self.call(func, call)
    }

    fn call(&mut self, func: Func, call: &WastInvoke<'_>) -> Result<Vec<Val>> {
        let mut args = Vec::new();
        for arg in &call.args {
            args.push(values::argument(&mut self.store, arg)?);
        }
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        func.call(&mut self.store, &args, &mut results)?;
        Ok(results)
    }

    /// A call that asserts nothing. As with Wasmtime's, it may fail, and a script goes on behind a trap; but there must be such a
    /// function.
    fn invoke_alone(&mut self, call: &WastInvoke<'_>) -> Result<()> {
        let func = self.function(call)?;
        let _ = self.call(func, call);
        Ok(())
    }

    fn assert_return(&mut self, exec: WastExecute<'_>, expected: &[WastRet<'_>]) -> Result<()> {
        let actual = self.execute(exec)?;
        values::check(&mut self.store, &actual, expected)
    }

    /// The error by which something fails; an error if it does not fail.
    fn fails(&mut self, exec: WastExecute<'_>) -> Result<Error> {
        match self.execute(exec) {
            Ok(values) => Err(format_err!("expected a failure, got {values:?}")),
            Err(err) => Ok(err),
        }
    }

    fn assert_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Result<()> {
        let err = self.fails(exec)?;
        if self.scripts.ignore_messages { Ok(()) } else { expect(traps::expect_trap(&err, message)) }
    }

    /// Checks that an error is the failure to link that is expected.
    pub(super) fn unlinkable(&self, err: &Error, message: &str) -> Result<(), String> {
        if self.scripts.ignore_messages { Ok(()) } else { traps::expect_unlinkable(err, message) }
    }

    fn assert_exception(&mut self, exec: WastExecute<'_>) -> Result<()> {
        let err = self.fails(exec)?;
        if err.is::<wasmtime::ThrownException>() {
            return Ok(());
        }
        bail!("expected an exception, got `{err:#}`")
    }

    /// The module must be refused: by the text parser, the decoder or the validator.
    fn assert_invalid(&mut self, module: &mut QuoteWat<'_>) -> Result<()> {
        let Ok(wasm) = encode(module) else { return Ok(()) };
        match Module::new(self.scripts.engine, wasm) {
            Ok(_) => bail!("expected the module to be invalid"),
            Err(err) => expect(traps::expect_invalid(&err)),
        }
    }
}

pub(super) fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. }
    )
}

fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>> {
    if matches!(module, QuoteWat::QuoteComponent(..) | QuoteWat::Wat(Wat::Component(_))) {
        bail!("components are not supported");
    }
    Ok(module.encode()?)
}

fn expect(outcome: Result<(), String>) -> Result<()> {
    outcome.map_err(|why| format_err!("{why}"))
}
