// Runs a linked module that has no more than reference types in a JavaScript engine: node keeper.mjs <module>
// Objects of the engine are kept by handles; what it prints is compared by `link.rs`.
import { readFileSync } from "node:fs";

const host = { mark: (value) => (value === null ? -1 : value.mark) };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { host });
const { put, mark, drop, size, capacity } = instance.exports;

for (let n = 0; n < 1000; n++) put(n, { mark: n });
console.log("capacity", capacity(), "size", size());
for (let n = 0; n < 1000; n += 2) drop(n);
let good = 0;
for (let n = 1; n < 1000; n += 2) good += mark(n) === n;
console.log("good", good, "size", size());
put(0, null);
console.log("null", mark(0));
try {
  drop(2);
  console.log("released twice");
} catch (error) {
  console.log(error instanceof WebAssembly.RuntimeError ? "trap" : error);
}
