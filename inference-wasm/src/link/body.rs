//! One function's body, copied instruction by instruction, with what linking changes.

use wasm_encoder::Encode;
use wasmparser::{BinaryReader, FunctionBody, Operator};

/// What changes.
pub struct Relocation<'a> {
    /// New index of a function.
    pub function: &'a dyn Fn(u32) -> u32,
    /// Added to the constant offset of every load and store.
    pub memory: u64,
}

/// The body's new bytes, without its length in front.
pub fn relocate(body: &FunctionBody, relocation: &Relocation) -> Result<Vec<u8>, String> {
    let broken = |error: wasmparser::BinaryReaderError| error.to_string();
    let (bytes, start) = (body.as_bytes(), body.range().start);
    let mut operators = body.get_operators_reader().map_err(broken)?;
    let mut at = operators.original_position() - start;
    let mut new = bytes[..at].to_vec(); // the locals
    while !operators.eof() {
        let operator = operators.read().map_err(broken)?;
        let end = operators.original_position() - start;
        let old = &bytes[at..end];
        at = end;
        match operator {
            Operator::Call { function_index } => {
                new.push(0x10);
                (relocation.function)(function_index).encode(&mut new);
            }
            Operator::RefFunc { function_index } => {
                new.push(0xd2);
                (relocation.function)(function_index).encode(&mut new);
            }
            Operator::ReturnCall { .. } => return Err("it has tail calls, which are not linked".to_owned()),
            Operator::MemorySize { .. } | Operator::MemoryGrow { .. } if relocation.memory > 0 => {
                return Err("it asks for the size of its memory, which is not its own any more".to_owned());
            }
            _ => match memarg(old) {
                Some(prefix) if relocation.memory > 0 => {
                    let mut rest = BinaryReader::new(&old[prefix..], 0);
                    rest.read_var_u32().map_err(broken)?; // alignment
                    new.extend(&old[..prefix + rest.original_position()]);
                    let offset = u64::from(rest.read_var_u32().map_err(broken)?) + relocation.memory;
                    let offset = u32::try_from(offset).map_err(|_| "an access lies beyond 4 GiB".to_owned())?;
                    offset.encode(&mut new);
                    new.extend(&old[prefix + rest.original_position()..]); // a lane
                }
                _ => new.extend(old),
            },
        }
    }
    Ok(new)
}

/// Bytes before the alignment and offset of an access to memory; `None` for any other instruction.
/// Opcodes: WebAssembly core specification 5.4.6 (0x28 to 0x3e) and 5.4.8 (vectors, 0xfd).
fn memarg(operator: &[u8]) -> Option<usize> {
    match operator {
        [0x28..=0x3e, ..] => Some(1),
        [0xfd, rest @ ..] => {
            let mut rest = BinaryReader::new(rest, 0);
            let code = rest.read_var_u32().ok()?;
            matches!(code, 0..=11 | 84..=93).then(|| 1 + rest.original_position())
        }
        _ => None,
    }
}
