//! Asynchronous host functions: two guests that wait for the host take turns on one thread.
//!
//! ```sh
//! cargo run --release --example async_host
//! ```
//!
//! The executor here polls in turns and is enough for an example; any other will do, such as Tokio's.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wasmtime_gc::{Caller, Engine, ExternRef, Linker, Module, Result, Rooted, Store};

/// A guest that fetches pages, one after the other, and keeps them in a list meanwhile.
const GUEST: &str = r#"(module $guest
    (type $pages (struct (field $page (ref extern)) (field $next (ref null $pages))))
    (import "host" "fetch" (func $fetch (param i32) (result (ref extern))))
    (import "host" "len" (func $len (param (ref extern)) (result i32)))
    (func (export "run") (param $count i32) (result i32)
        (local $pages (ref null $pages)) (local $sum i32)
        (loop $again
            (local.set $pages (struct.new $pages (call $fetch (local.get $count)) (local.get $pages)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count)))
        (loop $again
            (local.set $sum
                (i32.add (local.get $sum) (call $len (struct.get $pages $page (local.get $pages)))))
            (local.set $pages (struct.get $pages $next (local.get $pages)))
            (br_if $again (i32.eqz (ref.is_null (local.get $pages)))))
        (local.get $sum)))"#;

/// Waits for so many turns.
async fn turns(mut n: u32) {
    poll_fn(|_| match n.checked_sub(1) {
        Some(left) => {
            n = left;
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
    .await;
}

/// Runs both guests by turns: what each returns.
fn by_turns(mut futures: Vec<Pin<Box<dyn Future<Output = Result<i32>> + '_>>>) -> Result<Vec<i32>> {
    let mut results = vec![None; futures.len()];
    while results.iter().any(Option::is_none) {
        for (future, result) in futures.iter_mut().zip(&mut results).filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                *result = Some(output?);
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// Instantiates the module in a store, and runs it.
async fn guest(engine: &Engine, module: &Module, name: &'static str, count: i32) -> Result<i32> {
    let mut linker = Linker::<&str>::new(engine);
    linker.func_wrap_async("host", "fetch", |mut caller: Caller<'_, &'static str>, (page,): (i32,)| {
        Box::new(async move {
            println!("{} waits for page {page}", caller.data());
            turns(page as u32).await;
            // The guest's list is where it was, whatever was collected meanwhile.
            caller.gc(None)?;
            ExternRef::new(&mut caller, format!("page {page}"))
        })
    })?;
    linker.func_wrap("host", "len", |caller: Caller<'_, &'static str>, page: Rooted<ExternRef>| -> Result<u32> {
        let data = page.data(&caller)?.and_then(|data| data.downcast_ref::<String>());
        Ok(data.map_or(0, |page| page.len() as u32))
    })?;
    let mut store = Store::new(engine, name);
    let instance = linker.instantiate_async(&mut store, module).await?;
    instance.get_typed_func::<i32, i32>(&mut store, "run")?.call_async(&mut store, count).await
}

/// Runs two guests.
pub fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, GUEST)?;
    let guests = vec![
        Box::pin(guest(&engine, &module, "first", 4)) as Pin<Box<dyn Future<Output = Result<i32>>>>,
        Box::pin(guest(&engine, &module, "second", 2)),
    ];
    let sums = by_turns(guests)?;
    println!("{sums:?}");
    assert_eq!(sums, [24, 12]);
    Ok(())
}
