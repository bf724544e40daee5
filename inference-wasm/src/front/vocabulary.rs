//! Which string values share a vocabulary, and which id each string has.

use std::collections::HashMap;

/// Sets of value names that are joined by operators; each set has one list of strings, in first-seen order.
#[derive(Debug, Default)]
pub struct Vocabularies {
    index: HashMap<String, usize>,
    parent: Vec<usize>,
    strings: Vec<Vec<String>>,
    ids: Vec<HashMap<String, i64>>,
}

impl Vocabularies {
    /// Makes `value` a string value.
    pub fn add(&mut self, value: &str) -> usize {
        if let Some(i) = self.index.get(value) {
            return *i;
        }
        let i = self.parent.len();
        self.index.insert(value.to_owned(), i);
        self.parent.push(i);
        self.strings.push(Vec::new());
        self.ids.push(HashMap::new());
        i
    }

    /// True when `value` is made of strings.
    pub fn has(&self, value: &str) -> bool {
        self.index.contains_key(value)
    }

    /// From now on both values speak the same vocabulary. To be called before the first [`Vocabularies::id`].
    pub fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.add(a), self.add(b));
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high] = low;
    }

    /// Id of a string of `value`, a new one when the string is new.
    pub fn id(&mut self, value: &str, string: &str) -> i64 {
        let i = self.add(value);
        let root = self.root(i);
        let strings = &mut self.strings[root];
        *self.ids[root].entry(string.to_owned()).or_insert_with(|| {
            strings.push(string.to_owned());
            strings.len() as i64 - 1
        })
    }

    /// Strings of `value` by id.
    pub fn strings(&self, value: &str) -> Option<Vec<String>> {
        self.index.get(value).map(|i| self.strings[self.root(*i)].clone())
    }

    fn root(&self, mut i: usize) -> usize {
        while self.parent[i] != i {
            i = self.parent[i];
        }
        i
    }
}
