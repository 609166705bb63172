//! Random programs, run on the heap and on a model of plain Rust values side by side: the operations
//! and the model are those of the fuzz harness.

use crate::fuzzing::heap_model::{Step, options, run_steps};
use crate::heap::HeapOptions;
use proptest::prelude::*;
use std::num::NonZeroU32;

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let n = || 0..1000usize;
    prop_oneof![
        8 => any::<u32>().prop_map(Pair),
        2 => any::<u32>().prop_map(Wide),
        1 => Just(Huge),
        2 => (0..3000u32).prop_map(Bytes),
        1 => (8000..40_000u32).prop_map(Bytes),
        2 => (0..60u32).prop_map(Refs),
        1 => (1500..4000u32).prop_map(Refs),
        1 => (0..1000u32).prop_map(Host),
        1 => Just(PushNull),
        1 => (0..1u32 << 31).prop_map(PushI31),
        3 => n().prop_map(PushCopy),
        8 => Just(Pop),
        8 => (n(), n()).prop_map(|(a, b)| Load(a, b)),
        12 => (n(), n(), n()).prop_map(|(a, b, c)| Store(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Fill(a, b)),
        2 => (n(), n()).prop_map(|(a, b)| StoreArea(a, b)),
        2 => n().prop_map(LoadArea),
        2 => (n(), n()).prop_map(|(a, b)| StoreHost(a, b)),
        2 => n().prop_map(LoadHost),
        2 => n().prop_map(Weak),
        2 => n().prop_map(LoadWeak),
        1 => n().prop_map(DropWeak),
        3 => (n(), n()).prop_map(|(a, b)| SetEphemeron(a, b)),
        1 => n().prop_map(LoadEphemeron),
        1 => n().prop_map(RemoveEphemeron),
        1 => (n(), n()).prop_map(|(a, b)| Finalizer(a, b)),
        2 => (1..3000u32).prop_map(Garbage),
        2 => Just(Minor),
        1 => Just(Major),
        3 => Just(Mark),
        1 => Just(Lose),
    ]
}

fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 1 } else { 48 };
    ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..if cfg!(miri) { 20 } else { 300 })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_heap_agrees_with_the_model(steps in steps()) {
        prop_assert_eq!(run_steps(options(), u64::MAX, &steps), Ok(()));
    }

    #[test]
    fn it_agrees_with_zeal(steps in steps(), every in 1..5u32) {
        let fewer = &steps[..steps.len().min(80)];
        let without: Vec<_> = fewer.iter().filter(|step| !matches!(step, Step::Garbage(_))).cloned().collect();
        prop_assert_eq!(run_steps(HeapOptions { zeal: NonZeroU32::new(every), ..options() }, u64::MAX, &without), Ok(()));
    }

    #[test]
    fn it_agrees_when_growth_is_refused(steps in steps(), requests in 0..12u64) {
        prop_assert_eq!(run_steps(options(), requests, &steps), Ok(()));
    }

    #[test]
    fn it_agrees_when_objects_are_made_in_the_old_space(steps in steps(), requests in prop_oneof![Just(u64::MAX), 0..30u64]) {
        let options = HeapOptions { pretenure_share: 0.0, ..options() };
        prop_assert_eq!(run_steps(options, requests, &steps), Ok(()));
    }

    #[test]
    fn it_agrees_when_steps_are_short(steps in steps(), step_work in 1..40u32, requests in prop_oneof![Just(u64::MAX), 0..30u64]) {
        let options = HeapOptions { step_work, minimum: 1 << 16, ..options() };
        prop_assert_eq!(run_steps(options, requests, &steps), Ok(()));
    }

    #[test]
    fn it_agrees_when_large_objects_are_watched(steps in steps(), step_work in 100..5000u32, zeal in 0..9u32) {
        let options = HeapOptions { step_work, watch_least: 0, zeal: NonZeroU32::new(zeal.saturating_sub(4)), ..options() };
        let fewer = if options.zeal.is_some() { &steps[..steps.len().min(80)] } else { &steps[..] };
        prop_assert_eq!(run_steps(options, u64::MAX, fewer), Ok(()));
    }

    #[test]
    fn it_agrees_when_three_threads_mark(steps in steps(), requests in prop_oneof![Just(u64::MAX), 0..30u64]) {
        let options = HeapOptions { mark_threads: 3, parallel_least: 0, fragmentation: 2.0, ..options() };
        prop_assert_eq!(run_steps(options, requests, &steps), Ok(()));
    }

    #[test]
    fn it_agrees_without_debugging_aids_and_with_eager_evacuation(steps in steps()) {
        let options = HeapOptions { poison: false, verify: false, fragmentation: 0.0, nursery_least: 0, pretenure_share: 0.0, ..options() };
        prop_assert_eq!(run_steps(options, u64::MAX, &steps), Ok(()));
    }
}
