//! The module around the functions: `memory`, `run(rows) -> error`, data, custom sections.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, ExportKind, ExportSection, Function,
    FunctionSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// Bytes of a page of WebAssembly memory.
pub const PAGE: u64 = 65536;

/// What a module is made of.
pub struct Parts {
    /// Functions of one parameter, the row's number; called in this order for each row.
    pub functions: Vec<Function>,
    /// Most rows of one call.
    pub rows_max: u32,
    /// Constants and tables.
    pub data: Vec<u8>,
    /// Where they begin.
    pub data_offset: u32,
    /// Whether each function is exported too, as `step.N`.
    pub apart: bool,
}

impl Parts {
    /// Bytes of memory, in whole pages.
    pub fn memory_bytes(&self) -> u64 {
        (u64::from(self.data_offset) + self.data.len() as u64).div_ceil(PAGE).max(1) * PAGE
    }

    /// The code section.
    pub fn code(&self) -> CodeSection {
        let mut code = CodeSection::new();
        code.function(&self.run());
        self.functions.iter().for_each(|f| {
            code.function(f);
        });
        code
    }

    /// The module, with the custom sections `(name, content)` at its end.
    pub fn module(&self, sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32], [ValType::I32]);
        types.ty().function([ValType::I32], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        self.functions.iter().for_each(|_| {
            functions.function(1);
        });
        let pages = self.memory_bytes() / PAGE;
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: pages,
            maximum: Some(pages),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0).export("run", ExportKind::Func, 0);
        if self.apart {
            for n in 0..self.functions.len() as u32 {
                exports.export(&format!("step.{n}"), ExportKind::Func, n + 1);
            }
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&memory).section(&exports).section(&self.code());
        let data = trimmed(&self.data);
        if !data.is_empty() {
            let mut section = DataSection::new();
            section.active(0, &ConstExpr::i32_const(self.data_offset as i32), data.iter().copied());
            module.section(&section);
        }
        for (name, content) in sections {
            module.section(&CustomSection { name: (*name).into(), data: (*content).into() });
        }
        module.finish()
    }

    /// `run`: 1 for a number of rows that is not in 1..=rows_max, else every function for every row, and 0.
    fn run(&self) -> Function {
        let mut run = Function::new([(1, ValType::I32)]);
        let mut i = run.instructions();
        i.local_get(0).i32_const(1).i32_sub().i32_const(self.rows_max as i32).i32_ge_u();
        i.if_(BlockType::Empty).i32_const(1).return_().end();
        i.loop_(BlockType::Empty);
        for n in 0..self.functions.len() {
            i.local_get(1).call(n as u32 + 1);
        }
        i.local_get(1).i32_const(1).i32_add().local_tee(1).local_get(0).i32_lt_u().br_if(0).end();
        i.i32_const(0).end();
        run
    }
}

/// Without the zeros at the end, which memory holds anyway.
pub fn trimmed(data: &[u8]) -> &[u8] {
    let end = data.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    &data[..end]
}
