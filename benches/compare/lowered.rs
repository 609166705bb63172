//! placeholder
use super::contender::*;
use wasmtime::Result;
pub struct Lowered;
impl Lowered {
    pub fn new() -> Result<Lowered> {
        Ok(Lowered)
    }
}
impl Contender for Lowered {
    fn name(&self) -> &'static str {
        "lowered"
    }
    fn compile(&self, _: &[u8]) -> Result<Box<dyn Compiled>> {
        wasmtime::bail!("no engine yet")
    }
}
