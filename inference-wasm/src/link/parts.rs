//! A module taken apart, as far as the linker puts it together again.

use wasm_encoder::{ExportKind, FuncType, ValType};
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, Operator, Parser, Payload, TypeRef,
};

/// An imported function.
pub struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub ty: u32,
}

/// The parts; what a linker would have to understand and does not is refused while reading.
#[derive(Default)]
pub struct Parts<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Type of each function of its own.
    pub functions: Vec<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub memory_pages: u64,
    /// Whole sections, which hold no index that changes.
    pub tables: Option<&'a [u8]>,
    pub globals: Option<&'a [u8]>,
    pub exports: Vec<(&'a str, ExportKind, u32)>,
    /// Functions in the table, from an offset on.
    pub elements: Vec<(i32, Vec<u32>)>,
    /// Bytes in memory, from an address on.
    pub data: Vec<(u32, &'a [u8])>,
}

impl<'a> Parts<'a> {
    /// Takes a module apart.
    pub fn read(bytes: &'a [u8]) -> Result<Parts<'a>, String> {
        let mut parts = Parts::default();
        for payload in Parser::new(0).parse_all(bytes) {
            parts.take(bytes, payload.map_err(|error| error.to_string())?).map_err(|what| format!("it has {what}"))?;
        }
        Ok(parts)
    }

    /// Index of an exported function.
    pub fn exported(&self, name: &str) -> Option<u32> {
        let found = self.exports.iter().find(|(export, kind, _)| *export == name && *kind == ExportKind::Func);
        found.map(|(_, _, index)| *index)
    }

    fn take(&mut self, bytes: &'a [u8], payload: Payload<'a>) -> Result<(), String> {
        let broken = |error: wasmparser::BinaryReaderError| error.to_string();
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(broken)?;
                    let params = ty.params().iter().map(number).collect::<Result<Vec<_>, _>>()?;
                    let results = ty.results().iter().map(number).collect::<Result<Vec<_>, _>>()?;
                    self.types.push(FuncType::new(params, results));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(broken)?;
                    let TypeRef::Func(ty) = import.ty else { return Err("an import that is no function".to_owned()) };
                    self.imports.push(Import { module: import.module, name: import.name, ty });
                }
            }
            Payload::FunctionSection(section) => {
                self.functions = section.into_iter().collect::<Result<_, _>>().map_err(broken)?;
            }
            Payload::TableSection(section) => self.tables = Some(&bytes[section.range()]),
            Payload::GlobalSection(section) => self.globals = Some(&bytes[section.range()]),
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(broken)?;
                    if self.memory_pages > 0 || memory.memory64 || memory.shared {
                        return Err("more than one memory, or one of another kind".to_owned());
                    }
                    self.memory_pages = memory.initial;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(broken)?;
                    let kind = match export.kind {
                        ExternalKind::Func => ExportKind::Func,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => ExportKind::Global,
                        ExternalKind::Table => ExportKind::Table,
                        _ => return Err("an export of another kind".to_owned()),
                    };
                    self.exports.push((export.name, kind, export.index));
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element.map_err(broken)?;
                    let (
                        ElementKind::Active { table_index: None | Some(0), offset_expr },
                        ElementItems::Functions(list),
                    ) = (element.kind, element.items)
                    else {
                        return Err("elements that are no list of functions in table 0".to_owned());
                    };
                    let list = list.into_iter().collect::<Result<_, _>>().map_err(broken)?;
                    self.elements.push((constant(&offset_expr)?, list));
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.map_err(broken)?;
                    let DataKind::Active { memory_index: 0, offset_expr } = data.kind else {
                        return Err("data that is not placed at its start".to_owned());
                    };
                    self.data.push((constant(&offset_expr)? as u32, data.data));
                }
            }
            Payload::StartSection { .. } => return Err("a start function".to_owned()),
            Payload::Version { .. }
            | Payload::DataCountSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            _ => return Err("a section that is not linked".to_owned()),
        }
        Ok(())
    }
}

fn number(ty: &wasmparser::ValType) -> Result<ValType, String> {
    match ty {
        wasmparser::ValType::I32 => Ok(ValType::I32),
        wasmparser::ValType::I64 => Ok(ValType::I64),
        wasmparser::ValType::F32 => Ok(ValType::F32),
        wasmparser::ValType::F64 => Ok(ValType::F64),
        wasmparser::ValType::V128 => Ok(ValType::V128),
        wasmparser::ValType::Ref(_) => Err("a function of references".to_owned()),
    }
}

fn constant(expression: &ConstExpr) -> Result<i32, String> {
    match expression.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Ok(value),
        _ => Err("an address that is no constant".to_owned()),
    }
}
