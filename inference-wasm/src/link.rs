//! Links a compiled model into a template module: one module, one memory, no toolchain.
//!
//! ```text
//! template   types  imports            functions              memory [0, end)
//! model      types  (none)             functions              memory [base, base + its own), base = end
//! card                                                        behind it
//! ```
//!
//! The model's code is copied instruction by instruction. Two things change: the index in `call`, and
//! the constant offset of each load and store, which grows by `base`. The engine adds that offset
//! without wrapping, so whatever a pointer was computed from, each access to address `a` becomes one to
//! `base + a`: no address constant has to be recognised, and no arithmetic is touched. That is why the
//! answers keep their bits, and why this takes a finished, sealed module and not the emitter.
//!
//! The template imports what is linked in from `beira`: `run(rows) -> code`, `load(at) -> byte`,
//! `store(at, byte)` in the model's own addresses, `card_start()` and `card_bytes()`.

mod body;
mod parts;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportSection, Function, FunctionSection,
    ImportSection, MemArg, MemorySection, MemoryType, Module, RawSection, SectionId, TypeSection,
};

use crate::Error;
use crate::emit::module::PAGE;
use body::{Relocation, relocate};
use parts::Parts;

/// Import module of the template whose functions the model provides.
const MODEL: &str = "beira";

/// Puts `model` (a compiled module, sealed or not) and `card` (bytes for the template to read) into
/// `template`. The result has been validated.
///
/// # Errors
/// [`Error::Invalid`] when one of the two is not what this linker links; the place says which.
pub fn link(template: &[u8], model: &[u8], card: &[u8]) -> Result<Vec<u8>, Error> {
    let wrong = |place: &'static str| move |what: String| Error::invalid(place, what);
    valid(model, crate::backend::features()).map_err(wrong("model module"))?;
    let model = Parts::read(model).map_err(wrong("model module"))?;
    if !model.imports.is_empty() || model.tables.is_some() || model.globals.is_some() {
        return Err(Error::invalid(
            "model module",
            "it has imports, tables or globals; link a module of `beira compile`",
        ));
    }
    let template = Parts::read(template).map_err(wrong("template"))?;
    let linked = merge(&template, &model, card).map_err(wrong("template"))?;
    let features =
        crate::backend::features() | wasmparser::WasmFeatures::WASM2 | wasmparser::WasmFeatures::MUTABLE_GLOBAL;
    valid(&linked, features).map_err(|what| Error::bug(format!("the linked module is not valid: {what}")))?;
    Ok(linked)
}

fn merge(template: &Parts, model: &Parts, card: &[u8]) -> Result<Vec<u8>, String> {
    let base = template.memory_pages * PAGE;
    let card_start = model.memory_pages * PAGE;
    let end = base + card_start + card.len() as u64;
    let offset = |address: u64| u32::try_from(address).map_err(|_| "the memory is larger than 4 GiB".to_owned());
    offset(end)?;

    // Functions: what the proxy provides, the template's, the model's, then what stands for `beira.*`.
    let kept: Vec<_> = template.imports.iter().filter(|import| import.module != MODEL).collect();
    let model_at = (kept.len() + template.functions.len()) as u32;
    let mut provided = Vec::new();
    let mut imports = Vec::with_capacity(template.imports.len());
    let mut kept_so_far = 0;
    for import in &template.imports {
        let next = model_at + (model.functions.len() + provided.len()) as u32;
        imports.push(match (import.module, import.name) {
            (MODEL, "run") => model_at + model.exported("run").ok_or("the model exports no `run`")?,
            (MODEL, name) => {
                provided.push((import.ty, provide(name, base, card_start, card.len())?));
                next
            }
            _ => {
                kept_so_far += 1;
                kept_so_far - 1
            }
        });
    }
    let of_template = |index: u32| match imports.get(index as usize) {
        Some(new) => *new,
        None => kept.len() as u32 + index - imports.len() as u32,
    };

    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    for ty in template.types.iter().chain(&model.types) {
        types.ty().func_type(ty);
    }
    let mut section = ImportSection::new();
    for import in &kept {
        section.import(import.module, import.name, wasm_encoder::EntityType::Function(import.ty));
    }
    let relocation = Relocation { function: &of_template, memory: 0 };
    for (ty, body) in template.functions.iter().zip(&template.bodies) {
        functions.function(*ty);
        code.raw(&relocate(body, &relocation)?);
    }
    let relocation = Relocation { function: &|index| model_at + index, memory: base };
    for (ty, body) in model.functions.iter().zip(&model.bodies) {
        functions.function(template.types.len() as u32 + ty);
        code.raw(&relocate(body, &relocation)?);
    }
    for (ty, function) in &provided {
        functions.function(*ty);
        code.function(function);
    }
    let mut memory = MemorySection::new();
    memory.memory(MemoryType {
        minimum: end.div_ceil(PAGE),
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    for (name, kind, index) in &template.exports {
        let function = *kind == wasm_encoder::ExportKind::Func;
        exports.export(name, *kind, if function { of_template(*index) } else { *index });
    }
    let mut elements = ElementSection::new();
    for (offset, list) in &template.elements {
        let list: Vec<u32> = list.iter().map(|index| of_template(*index)).collect();
        elements.active(None, &ConstExpr::i32_const(*offset), Elements::Functions(list.into()));
    }
    let mut data = DataSection::new();
    let mut place = |at: u32, bytes: &[u8]| {
        data.active(0, &ConstExpr::i32_const(at as i32), bytes.iter().copied());
    };
    template.data.iter().for_each(|(at, bytes)| place(*at, bytes));
    for (at, bytes) in &model.data {
        place(offset(base + u64::from(*at))?, bytes);
    }
    place(offset(base + card_start)?, card);

    let mut module = Module::new();
    module.section(&types).section(&section).section(&functions);
    if let Some(data) = template.tables {
        module.section(&RawSection { id: SectionId::Table as u8, data });
    }
    module.section(&memory);
    if let Some(data) = template.globals {
        module.section(&RawSection { id: SectionId::Global as u8, data });
    }
    module.section(&exports).section(&elements).section(&code).section(&data);
    Ok(module.finish())
}

/// The function that stands for `beira.name`.
fn provide(name: &str, base: u64, card_start: u64, card_bytes: usize) -> Result<Function, String> {
    let byte = MemArg { offset: base, align: 0, memory_index: 0 };
    let mut function = Function::new([]);
    let mut code = function.instructions();
    match name {
        "load" => code.local_get(0).i32_load8_u(byte),
        "store" => code.local_get(0).local_get(1).i32_store8(byte),
        "card_start" => code.i32_const(card_start as i32),
        "card_bytes" => code.i32_const(card_bytes as i32),
        _ => return Err(format!("it imports `{MODEL}.{name}`, which no model provides")),
    };
    code.end();
    Ok(function)
}

fn valid(module: &[u8], features: wasmparser::WasmFeatures) -> Result<(), String> {
    wasmparser::Validator::new_with_features(features).validate_all(module).map(drop).map_err(|error| error.to_string())
}

/// Bytes of memory that a module asks for at its start.
///
/// # Errors
/// [`Error::Invalid`] for a module that [`link`] would not read.
pub fn memory_bytes(module: &[u8]) -> Result<u64, Error> {
    Ok(Parts::read(module).map_err(|what| Error::invalid("module", what))?.memory_pages * PAGE)
}
