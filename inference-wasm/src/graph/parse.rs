//! Reads the text form back: for tests, whose graphs are then easy to read and to write.
//!
//! It takes what [`super::text`] prints in full; summaries and the operators that passes make
//! (`map`, `dense`) are refused.

use std::sync::Arc;

use super::text::{AGGREGATE, BINARY, MODE, POOL, REDUCE, SCATTER, TYPES, UNARY};
use super::{Child, Contract, Cumulate, Graph, Id, Lookup, Node, Op, Pad, Pool, Split, Strided, Trees, Type, Weight};

/// The graph that `text` spells, or the line that is wrong and why.
pub fn parse(text: &str) -> Result<Graph, String> {
    let mut graph = Graph::default();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        parse_line(&mut graph, line).map_err(|what| format!("line {}: {what}", n + 1))?;
    }
    Ok(graph)
}

fn parse_line(graph: &mut Graph, line: &str) -> Result<(), String> {
    let (code, name) = line.split_once(" ; ").unwrap_or((line, ""));
    let mut p = Parser { rest: code.trim() };
    if p.take("return") {
        graph.outputs = p.ids()?;
        return p.end();
    }
    let id = p.id()?;
    if id.index() != graph.nodes.len() {
        return Err(format!("%{} is out of order", id.0));
    }
    p.need("=")?;
    let word = p.word();
    let inputs = p.ids()?;
    let (attributes, tail) = p.rest.rsplit_once(" : ").map_or(("", p.rest.trim_start_matches(": ")), |(a, t)| (a, t));
    let mut tail = Parser { rest: tail };
    let ty = ty(tail.word())?;
    let shape =
        if tail.rest.starts_with('[') { tail.numbers()?.into_iter().map(|x| x as usize).collect() } else { vec![] };
    tail.end()?;
    let mut a = Parser { rest: attributes.trim() };
    let op = op(word, &mut a, ty)?;
    a.end()?;
    if let Op::Input(_) = op {
        graph.inputs.push(id);
    }
    graph.nodes.push(Node { op, inputs, shape, ty, name: name.trim().to_owned() });
    Ok(())
}

fn ty(word: &str) -> Result<Type, String> {
    let found = TYPES.iter().find(|(_, name)| *name == word);
    found.map(|(ty, _)| *ty).ok_or_else(|| format!("{word:?} is no type"))
}

fn op(word: &str, a: &mut Parser, ty: Type) -> Result<Op, String> {
    if let Some((op, _)) = UNARY.iter().find(|(_, name)| *name == word) {
        return Ok(Op::Unary(*op));
    }
    if let Some((op, _)) = BINARY.iter().find(|(_, name)| *name == word) {
        return Ok(Op::Binary(*op));
    }
    if let Some((op, _)) = REDUCE.iter().find(|(_, name)| *name == word) {
        a.need("axes=")?;
        return Ok(Op::Reduce(*op, a.indices()?));
    }
    if let Some((op, _)) = POOL.iter().find(|(_, name)| *name == word) {
        let inner = list(a, "inner=")?;
        return Ok(Op::Pool(*op, Arc::new(Pool { inner, operand: strided(a, "operand=")? })));
    }
    if let Some((how, _)) = SCATTER.iter().find(|(_, name)| *name == word) {
        return Ok(Op::Scatter(*how));
    }
    let axis = |a: &mut Parser| a.need("axis=").and_then(|()| a.number()).map(|x| x as usize);
    Ok(match word {
        "input" => Op::Input(a.number()? as usize),
        "const" => Op::Const(bytes(ty, &a.numbers()?).into()),
        "select" => Op::Select,
        "cast" => Op::Cast,
        "matmul" => Op::MatMul,
        "arg" => {
            let axis = axis(a)?;
            let (least, last) = (a.word() == "least", a.word() == "last");
            Op::ArgExtreme { axis, least, last }
        }
        "softmax" => Op::Softmax { axis: axis(a)? },
        "gather" => Op::Gather { axis: axis(a)? },
        "concat" => Op::Concat { axis: axis(a)? },
        "slice" => {
            let axis = axis(a)?;
            a.need("start=")?;
            let start = a.number()? as usize;
            a.need("step=")?;
            Op::Slice { axis, start, step: a.number()? as isize }
        }
        "reshape" => Op::Reshape,
        "transpose" => {
            a.need("perm=")?;
            Op::Transpose { perm: a.indices()? }
        }
        "broadcast" => Op::Broadcast,
        "pad" => {
            let before = list(a, "before=")?;
            let between = list(a, "between=")?;
            a.need("value=")?;
            Op::Pad(Box::new(Pad { before, between, value: bytes(ty, &[a.number()?]).into() }))
        }
        "contract" => {
            let inner = list(a, "inner=")?;
            let (left, right) = (strided(a, "left=")?, strided(a, "right=")?);
            Op::Contract(Arc::new(Contract {
                inner,
                left,
                right,
                program: Arc::new(crate::math::element::cast(ty, ty)),
                frame: None,
            }))
        }
        "topk" => {
            let axis = axis(a)?;
            Op::TopK { axis, least: a.word() == "least" }
        }
        "cumsum" | "cumprod" => {
            let axis = axis(a)?;
            let (reverse, exclusive) = (a.take("reverse"), a.take("exclusive"));
            Op::Cumulate(Cumulate { axis, product: word == "cumprod", reverse, exclusive })
        }
        "coupling" => Op::Coupling,
        "onehot" => {
            a.need("categories=")?;
            let of = self::ty(a.word())?;
            Op::OneHot { categories: bytes(of, &a.numbers()?).into() }
        }
        "lookup" => {
            let key_type = self::ty(a.word())?;
            let keys = bytes(key_type, &a.numbers()?).into();
            let values = bytes(ty, &a.numbers()?).into();
            let default = bytes(ty, &[a.number()?]).into();
            Op::Lookup(Arc::new(Lookup { key_type, keys, values, default }))
        }
        "trees" => Op::Trees(Arc::new(trees(a, ty)?)),
        _ => return Err(format!("{word:?} is no operator")),
    })
}

fn list(a: &mut Parser, word: &str) -> Result<Vec<usize>, String> {
    a.need(word)?;
    a.indices()
}

fn strided(a: &mut Parser, word: &str) -> Result<Strided, String> {
    a.need(word)?;
    let start = a.number()? as usize;
    Ok(Strided { start, outer: a.indices()?, inner: a.indices()? })
}

fn bytes(ty: Type, numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| ty.number(*x)).collect()
}

fn trees(a: &mut Parser, ty: Type) -> Result<Trees, String> {
    let word = a.word();
    let (aggregate, _) = AGGREGATE.iter().find(|(_, name)| *name == word).ok_or("no aggregate")?;
    let mut t = Trees { aggregate: *aggregate, double: ty == Type::F64, ..Trees::default() };
    a.need("features=")?;
    t.features = a.number()? as usize;
    a.need("targets=")?;
    t.targets = a.number()? as usize;
    if a.take("base=") {
        t.base = a.numbers()?;
    }
    a.need("{")?;
    loop {
        let root = branch(a, &mut t)?;
        t.roots.push(root);
        if !a.take(",") {
            break;
        }
    }
    a.need("}")?;
    Ok(t)
}

fn branch(a: &mut Parser, t: &mut Trees) -> Result<Child, String> {
    if a.take("(") {
        a.need("x")?;
        let feature = a.number()? as u32;
        let (mode, _) = MODE
            .iter()
            .filter(|(_, name)| a.rest.starts_with(name))
            .max_by_key(|(_, n)| n.len())
            .ok_or("no comparison")?;
        let symbol = MODE.iter().find(|(m, _)| m == mode).map_or("", |(_, name)| name);
        a.need(symbol)?;
        let threshold = a.number()?;
        let missing_yes = a.take("nan");
        let at = t.nodes.len();
        let nowhere = Child::Leaf(0);
        t.nodes.push(Split { feature, mode: *mode, threshold, missing_yes, yes: nowhere, no: nowhere });
        a.need("?")?;
        t.nodes[at].yes = branch(a, t)?;
        a.need(":")?;
        t.nodes[at].no = branch(a, t)?;
        a.need(")")?;
        return Ok(Child::Node(at as u32));
    }
    a.need("[")?;
    let mut weights = Vec::new();
    while !a.take("]") {
        a.take(",");
        let target = a.number()? as u32;
        a.need(":")?;
        weights.push(Weight { target, value: a.number()? });
    }
    t.leaves.push(weights);
    Ok(Child::Leaf(t.leaves.len() as u32 - 1))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("expected {token:?} before {:?}", self.rest)) }
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("{:?} is too much", self.rest)) }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn id(&mut self) -> Result<Id, String> {
        self.need("%")?;
        Ok(Id(self.number()? as u32))
    }

    fn ids(&mut self) -> Result<Vec<Id>, String> {
        let mut ids = Vec::new();
        while self.rest.starts_with('%') {
            ids.push(self.id()?);
            if !self.rest.starts_with(", %") && !self.rest.starts_with(",%") {
                break;
            }
            self.take(",");
        }
        Ok(ids)
    }

    fn number(&mut self) -> Result<f64, String> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "+-.".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = word.parse().map_err(|_| format!("{word:?} is no number"))?;
        self.rest = rest.trim_start();
        Ok(value)
    }

    fn numbers(&mut self) -> Result<Vec<f64>, String> {
        self.need("[")?;
        let mut numbers = Vec::new();
        while !self.take("]") {
            self.take(",");
            numbers.push(self.number()?);
        }
        Ok(numbers)
    }

    fn indices(&mut self) -> Result<Vec<usize>, String> {
        Ok(self.numbers()?.into_iter().map(|x| x as usize).collect())
    }
}
