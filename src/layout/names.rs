//! The imports by which a lowered module reaches its store's heap.
//!
//! All are in the namespace [`NAMESPACE`]. Only those that a module uses are imported. Types are
//! given as WebAssembly text.

/// The namespace.
pub const NAMESPACE: &str = "wasmtime-gc";

/// `(memory 1 65536)`: the heap.
pub const HEAP: &str = "heap";
/// `(table 0 funcref)`: the store's functions; a function handle is an index into it.
pub const FUNCTIONS: &str = "functions";
/// `(global i32)`: the address of the instance's root area.
pub const AREA: &str = "area";
/// `(global i32)`: the handle of the first of the instance's functions whose reference is taken.
pub const FUNCTION_BASE: &str = "function_base";

/// `(global i32)`: the identity of the first of the instance's tags; the others follow.
pub const TAG_BASE: &str = "tag_base";

/// Prefix of `(global i32)`, one for each type of relocatable code: the address of its RTT record.
pub const RTT: &str = "rtt:";
/// The same for its type id.
pub const RTT_ID: &str = "rtt_id:";

/// `(global i32)`: the number of the instance in its store. A module that exports what lives in the heap, or tags,
/// imports it, and exports it again as [`INSTANCE_EXPORT`].
pub const INSTANCE: &str = "instance";
/// By this name a host function finds out whose exports its caller has.
pub const INSTANCE_EXPORT: &str = "wasmtime-gc:instance";

/// `(func (param $bytes i32) (result i32))`: allocates, collecting if need be. The result is a
/// reference; its object is raw and the caller sets it up before anything else can collect.
pub const ALLOC: &str = "alloc";
/// `(func (param $rtt i32) (param $length i32) (result i32))`: allocates an array of any size, with
/// header and length set and raw elements.
pub const ALLOC_ARRAY: &str = "alloc_array";
/// `(func (param $rtt i32) (param $bytes i32) (result i32))`: allocates a descriptor of so many bytes for
/// objects of the type whose RTT record is at `$rtt`. It never moves. Its header and fields are raw, and
/// it is old: references that are stored into it must be remembered.
pub const ALLOC_DESCRIPTOR: &str = "alloc_descriptor";
/// `(func (param $object i32))`: remembers every slot of an old object.
pub const REMEMBER_OBJECT: &str = "remember_object";
/// `(func (param $array i32) (param $from i32) (param $count i32))`: remembers so many elements of an old array of
/// references, from an index on.
pub const REMEMBER_ELEMENTS: &str = "remember_elements";
/// `(func (param $table i32) (param $delta i32) (param $init i32) (result i32))`: `table.grow` of the
/// lowered table whose pair of cells is at address `$table`; -1 when it can not.
pub const TABLE_GROW: &str = "table_grow";
/// `(func (param funcref) (result i32))`: the handle of a function.
pub const FUNCTION_HANDLE: &str = "function_handle";
/// `(func (param $offset i32))`: the call through a reference or table at this offset of the module comes next; with 0,
/// it has come back. Only in code that is profiled.
pub const PROFILE_CALL: &str = "profile_call";
/// `(func (param $function i32))`: the function with this index of the module begins.
pub const PROFILE_ENTRY: &str = "profile_entry";
/// `(func (param $parent i32) (param $type i32) (result i32))`: the RTT below `$parent` of the type whose record
/// is at address `$type`. The same operands give the same RTT.
pub const RTT_SUB: &str = "rtt_sub";
/// Prefix of `(func (param $environment i32) (param $callee funcref) (result (ref null $t)))`, one for each function
/// type that a module binds functions to: a function that calls `$callee` with the environment, then its arguments.
pub const FUNC_BIND: &str = "func_bind:";
/// Prefix of `(func (param funcref) (result (ref null $t)))`, one for each function type that a
/// module casts to: the argument if it is null or of a subtype of `$t`, else null.
pub const FUNCTION_CAST: &str = "function_cast:";
/// The same for functions of the very type `$t`.
pub const FUNCTION_CAST_EXACT: &str = "function_cast_exact:";
