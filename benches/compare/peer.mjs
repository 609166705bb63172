// A JavaScript engine as a contender: runs programs when told to, one JSON object a line, and answers with one.
//
//   {"op": "load", "wasm": FILE}                          compiles a module
//   {"op": "start", "export", "args", "wasi"}             instantiates it; `wasi`: null, or {"args", "dir", "stdout"}
//   {"op": "run", "calls": N}                             calls the export so often
//
// With `--whole JSON` it does all three once, from an object with all their fields, and prints the outcome.
// The time of a run is processor time of this thread where the engine tells it, as for the other contenders, or else
// time that passes. A short run is measured by time that passes in any case: the kernel brings the processor time that
// the engine reads up to date at its ticks only.

import fs from "node:fs";
import readline from "node:readline";

let module, entry, program, wasi;

// Runs that pass in less, in ms, are short.
const SHORT = 50;

function processorTime() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}

// Begins to measure; gives what ends it.
function watch() {
  const tells = Boolean(process.threadCpuUsage);
  const [passed, spent] = [performance.now(), tells ? processorTime() : 0];
  return () => {
    const ms = performance.now() - passed;
    return tells && ms >= SHORT ? processorTime() - spent : ms;
  };
}

function load({ wasm }) {
  module = new WebAssembly.Module(fs.readFileSync(wasm));
}

async function start(told) {
  entry = told;
  program = wasi = undefined;
  const nothing = () => {};
  const imports = { bench: { start: nothing, end: nothing }, spectest: { print_char: nothing } };
  if (told.wasi) {
    const { WASI } = await import("node:wasi");
    const { args, dir, stdout } = told.wasi;
    const preopens = dir ? { ".": dir } : {};
    const fd = fs.openSync(stdout, "w");
    wasi = new WASI({ version: "preview1", args: ["program", ...args], preopens, stdout: fd, returnOnExit: true });
    imports.wasi_snapshot_preview1 = wasi.wasiImport;
  }
  program = new WebAssembly.Instance(module, imports);
}

function run({ calls }) {
  const spent = watch();
  let number = call();
  for (let n = 1; n < calls; n++) {
    if (call() !== number) throw new Error("the calls of one instance differ");
  }
  return { ms: spent(), number };
}

function call() {
  if (!wasi) return program.exports[entry.export](...entry.args);
  const status = wasi.start(program);
  if (status) throw new Error(`exit status ${status}`);
  return null;
}

// The most memory that was resident, from now on, beyond what is now.
function watchMemory() {
  const line = (key) => Number(fs.readFileSync("/proc/self/status", "utf8").match(`${key}:\\s*(\\d+)`)[1]);
  fs.writeFileSync("/proc/self/clear_refs", "5");
  const before = line("VmRSS");
  return () => Math.max(0, line("VmHWM") - before);
}

async function answer(told) {
  if (told.op === "load") return load(told);
  if (told.op === "start") return start(told);
  return run(told);
}

if (process.argv[2] === "--whole") {
  const told = JSON.parse(process.argv[3]);
  load(told);
  await start(told);
  const most = told.memory ? watchMemory() : () => 0;
  const { number } = run({ calls: 1 });
  console.log(JSON.stringify({ number, kib: most() }));
} else {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let reply;
    try {
      reply = (await answer(JSON.parse(line))) ?? {};
    } catch (error) {
      reply = { error: String(error) };
    }
    fs.writeSync(1, JSON.stringify(reply) + "\n");
  }
}
