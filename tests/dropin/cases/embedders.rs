//! What published embedders build around these types: structs, traits and functions that are generic over a store's
//! data, over parameters and over results.
//!
//! Programs of a plugin host, a language runtime and a binding generator did not compile: a linker asked for `T: 'static`
//! where it was only named, a typed function for `WasmParams` in a field, and closures of one parameter stood for
//! `(A,)`. Most of what is here is held by being compiled.

use super::wasmtime::{
    AnyRef, AsContextMut, Caller, Engine, ExternRef, Func, Instance, InstancePre, IntoFunc, Linker, Module, Result,
    Rooted, Store, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy,
};
use super::{engine, instance};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

fn shared<T: Send + Sync + Unpin>() {}

/// What defines something for guests.
type Step<T> = Box<dyn Fn(&mut Linker<T>) -> Result<()> + Send + Sync>;

/// Nothing says that `T` outlives everything.
struct Runtime<T> {
    linker: Linker<T>,
    setup: Vec<Step<T>>,
}

impl<T> Runtime<T> {
    fn new(engine: &Engine) -> Runtime<T> {
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true).allow_unknown_exports(true);
        Runtime { linker, setup: Vec::new() }
    }

    fn with(mut self, step: impl Fn(&mut Linker<T>) -> Result<()> + Send + Sync + 'static) -> Runtime<T> {
        self.setup.push(Box::new(step));
        self
    }

    fn ready(&self) -> Result<Linker<T>> {
        let mut linker = self.linker.clone();
        self.setup.iter().try_for_each(|step| step(&mut linker))?;
        linker.alias_module("host", "env")?;
        linker.alias("host", "double", "host", "twice")?;
        assert!(Engine::same(linker.engine(), self.linker.engine()) && format!("{linker:?}").contains("Linker"));
        Ok(linker)
    }
}

struct Compiled<T> {
    inner: Arc<(Module, InstancePre<T>)>,
    of: PhantomData<Linker<T>>,
}

impl<T> Clone for Compiled<T> {
    fn clone(&self) -> Self {
        Compiled { inner: self.inner.clone(), of: PhantomData }
    }
}

impl<T> AsRef<InstancePre<T>> for Compiled<T> {
    fn as_ref(&self) -> &InstancePre<T> {
        &self.inner.1
    }
}

/// The data is not said to be sent.
async fn start<T: 'static>(pre: &InstancePre<T>, store: &mut Store<T>) -> Result<Instance> {
    pre.instantiate_async(store).await
}

#[test]
fn linkers_are_named_for_any_data() {
    shared::<Linker<Rc<u8>>>();
    shared::<InstancePre<Rc<u8>>>();
    let engine = engine();
    let runtime =
        Runtime::<Rc<u8>>::new(&engine).with(|linker| linker.func_wrap("host", "double", |n: i32| 2 * n).map(drop));
    let linker = runtime.ready().unwrap();
    let wat = r#"(module (import "env" "double" (func $d (param i32) (result i32)))
        (import "host" "twice" (func $t (param i32) (result i32)))
        (func (export "f") (result i32) (call $t (call $d (i32.const 3)))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    let compiled = Compiled { inner: Arc::new((module, pre)), of: PhantomData }.clone();
    let mut store = Store::new(&engine, Rc::new(0));
    let instance = compiled.as_ref().instantiate(&mut store).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 12);
    let mut future = Box::pin(start(compiled.as_ref(), &mut store));
    let waker = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(future.as_mut().poll(waker), std::task::Poll::Ready(Ok(_))));
}

/// A function that is kept for later.
struct Entry<P, R> {
    func: TypedFunc<P, R>,
}

impl<P, R> Clone for Entry<P, R> {
    fn clone(&self) -> Self {
        Entry { func: self.func.clone() }
    }
}

async fn by_name<P, R>(instance: &Instance, store: &mut Store<impl Send>, name: &str, params: P) -> Result<R>
where
    P: WasmParams + Sync,
    R: WasmResults + Sync,
{
    let func = instance.get_typed_func::<P, R>(&mut *store, name)?;
    func.call_async(store, params).await
}

fn sent<F: Send>(future: F) -> F {
    future
}

fn any_typed_function_is_shared<P, R>() {
    shared::<TypedFunc<P, R>>();
}

#[test]
fn typed_functions_are_named_for_any_types() {
    any_typed_function_is_shared::<Rc<u8>, *const u8>();
    let (mut store, instance) = instance(
        r#"(module (func (export "inc") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1))))"#,
    );
    let func = instance.get_typed_func::<i32, i32>(&mut store, "inc").unwrap();
    let entry = Entry { func }.clone();
    assert_eq!(entry.func.call(&mut store, 4).unwrap(), 5);
    drop(entry);
    let unknown = by_name::<(i32, Option<Rooted<AnyRef>>), Option<Rooted<ExternRef>>>;
    let mut future = Box::pin(sent(unknown(&instance, &mut store, "unknown", (0, None))));
    let waker = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(future.as_mut().poll(waker), std::task::Poll::Ready(Err(_))));
}

/// A registry of host functions that does not say more of its data than it must.
trait Registers {
    type Data;
    fn register<P, R>(&mut self, name: &str, func: impl IntoFunc<Self::Data, P, R>);
}

impl<T: 'static> Registers for Linker<T> {
    type Data = T;
    fn register<P, R>(&mut self, name: &str, func: impl IntoFunc<T, P, R>) {
        self.func_wrap("host", name, func).unwrap();
    }
}

/// One parameter stands for itself.
fn of_one<T: 'static, A: WasmTy, R: WasmRet, F: IntoFunc<T, A, R>>(linker: &mut Linker<T>, name: &str, func: F) {
    linker.func_wrap("host", name, func).unwrap();
}

fn of_one_with_caller<T: 'static, F>(linker: &mut Linker<T>, name: &str, func: F)
where
    F: for<'a> IntoFunc<T, (Caller<'a, T>, i32), i32>,
{
    linker.func_wrap("host", name, func).unwrap();
}

/// A value of the host that is a number or a reference in WebAssembly.
trait Marshal: Sized {
    type Primitive: WasmTy;
    fn from_primitive(primitive: Self::Primitive) -> Self;
    fn into_primitive(self) -> Self::Primitive;
}

impl Marshal for char {
    type Primitive = u32;
    fn from_primitive(primitive: u32) -> char {
        char::from_u32(primitive).unwrap_or('?')
    }
    fn into_primitive(self) -> u32 {
        self.into()
    }
}

/// A closure over such values.
trait OfHost<T, P, R>: Sized {
    type Params<'a>;
    fn wrapped(self) -> impl for<'a> IntoFunc<T, Self::Params<'a>, Result<R>>;
}

impl<T: 'static, F, A: Marshal, B: Marshal, R: WasmTy> OfHost<T, (A, B), R> for F
where
    F: Fn(&mut T, A, B) -> Result<R> + Send + Sync + 'static,
{
    type Params<'a> = (Caller<'a, T>, A::Primitive, B::Primitive);
    fn wrapped(self) -> impl for<'a> IntoFunc<T, Self::Params<'a>, Result<R>> {
        move |mut caller: Caller<'_, T>, a: A::Primitive, b: B::Primitive| {
            self(caller.data_mut(), A::from_primitive(a), B::from_primitive(b))
        }
    }
}

trait CallsMarshalled<A, R> {
    fn call_with(&self, store: impl AsContextMut, param: A) -> Result<R>;
}

impl<A: Marshal, R: Marshal> CallsMarshalled<A, R> for TypedFunc<A::Primitive, R::Primitive> {
    fn call_with(&self, store: impl AsContextMut, param: A) -> Result<R> {
        Ok(R::from_primitive(self.call(store, param.into_primitive())?))
    }
}

#[test]
fn closures_are_bound_by_what_their_parameters_stand_for() {
    let engine = engine();
    let mut linker = Linker::<u32>::new(&engine);
    linker.register("none", || 1);
    linker.register("caller", |caller: Caller<'_, u32>, n: i64| n + i64::from(*caller.data()));
    of_one(&mut linker, "one", |n: i32| n + 1);
    of_one(&mut linker, "null", |of: Option<Rooted<AnyRef>>| i32::from(of.is_none()));
    of_one_with_caller(&mut linker, "with", |mut caller: Caller<'_, u32>, n: i32| {
        *caller.data_mut() += 1;
        n
    });
    let joined = |count: &mut u32, a: char, b: char| {
        *count += 1;
        Ok(u32::from(a) + u32::from(b))
    };
    linker.func_wrap("host", "join", OfHost::wrapped(joined)).unwrap();
    let wat = r#"(module (import "host" "join" (func $j (param i32 i32) (result i32)))
        (import "host" "one" (func $o (param i32) (result i32)))
        (import "host" "null" (func $n (param anyref) (result i32)))
        (func (export "f") (param i32) (result i32)
            (i32.add (call $n (ref.null any)) (call $o (call $j (local.get 0) (i32.const 1))))))"#;
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    let func = instance.get_typed_func::<u32, u32>(&mut store, "f").unwrap();
    let next: char = CallsMarshalled::<char, char>::call_with(&func, &mut store, 'a').unwrap();
    assert_eq!((next, *store.data()), ('d', 1));
}

type Seventeen = (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32);
const COUNT: Seventeen = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);

#[test]
fn there_are_functions_of_seventeen_parameters_and_results() {
    let mut store = Store::new(&engine(), 0);
    #[rustfmt::skip]
    let sum = Func::wrap(&mut store, |_: Caller<'_, u32>, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32,
        h: i32, i: i32, j: i32, k: i32, l: i32, m: i32, n: i32, o: i32, p: i32, q: i32| {
        a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q
    });
    assert_eq!(sum.typed::<Seventeen, i32>(&store).unwrap().call(&mut store, COUNT).unwrap(), 153);
    let count = Func::wrap(&mut store, || COUNT);
    let counted = count.typed::<(), Seventeen>(&store).unwrap().call(&mut store, ()).unwrap();
    assert_eq!((counted.0, counted.15, counted.16), (1, 16, 17));
    let mut linker = Linker::<u32>::new(store.engine());
    let wrapped = linker.func_wrap_async("host", "last", |_, params: Seventeen| Box::new(async move { params.16 }));
    wrapped.unwrap();
}
