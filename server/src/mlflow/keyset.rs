//! Lists by keyset: a page begins behind the last row of the page before. The thousandth page costs what the first does, and rows
//! that come and go meanwhile neither hide others nor show them twice.

use crate::error::Result;
use crate::mlflow::page::{Kind, Page};
use crate::mlflow::sql::Query;
use crate::store::{self, Executor, FromRow, KEY, Keyed};

/// A list under construction: what it is ordered by, then where it comes from.
pub struct List {
    query: Query,
    keys: Vec<Key>,
}

struct Key {
    kind: Kind,
    ascending: bool,
    /// The same for all rows.
    alike: bool,
    /// May be NULL, which stands last in both directions.
    maybe: bool,
}

impl List {
    /// Of these columns.
    pub fn of(columns: &str) -> List {
        List { query: format!("SELECT q.* FROM (SELECT {columns}").into(), keys: Vec::new() }
    }

    /// Orders by what is never NULL. The last of all keys tells any two rows apart.
    pub fn by(&mut self, value: impl Into<Query>, kind: Kind, ascending: bool) {
        self.key(value.into(), Key { kind, ascending, alike: false, maybe: false });
    }

    /// A key that is the same for all rows, in the place where another part of the same list is ordered by it.
    pub fn alike(&mut self, value: impl Into<Query>, kind: Kind) {
        self.key(value.into(), Key { kind, ascending: true, alike: true, maybe: false });
    }

    /// Orders by what may be NULL.
    pub fn by_maybe(&mut self, value: impl Into<Query>, kind: Kind, ascending: bool) {
        self.key(value.into(), Key { kind, ascending, alike: false, maybe: true });
    }

    fn key(&mut self, value: Query, key: Key) {
        self.query.push(", ").append(value).push(format!(" AS {KEY}{}", self.keys.len()));
        self.keys.push(key);
    }

    /// From this table; joins and conditions may follow.
    pub fn from(&mut self, table: &str) -> &mut Query {
        self.query.push(" FROM ").push(table)
    }

    /// The rows of a page, and the token of the next one.
    pub async fn page<T: FromRow>(self, page: &Page, on: impl Executor<'_>) -> Result<(Vec<T>, Option<String>)> {
        let rows = self.rows(page, on).await?;
        Ok(cut(rows, page))
    }

    /// Where the page begins, in the keys of this list.
    pub fn after(&self, page: &Page) -> Result<Option<Vec<store::Value>>> {
        page.after(&self.keys.iter().map(|key| key.kind).collect::<Vec<_>>())
    }

    /// The rows of a page, and one more when another page follows.
    pub async fn rows<T: FromRow>(mut self, page: &Page, on: impl Executor<'_>) -> Result<Vec<Keyed<T>>> {
        self.cut(page)?;
        self.query.build_as().fetch_all(on).await
    }

    /// Order, beginning and end of the page, and one row more: whether another page follows.
    fn cut(&mut self, page: &Page) -> Result<()> {
        self.query.push(") q");
        if let Some(after) = self.after(page)? {
            self.query.push(" WHERE ");
            behind(&mut self.query, &self.keys, &after, 0);
        }
        let mut between = " ORDER BY ";
        for (i, key) in self.keys.iter().enumerate().filter(|(_, key)| !key.alike) {
            let way = if key.ascending { "ASC" } else { "DESC" };
            let last = if key.maybe { format!("{KEY}{i} IS NULL, ") } else { String::new() };
            self.query.push(format!("{between}{last}{KEY}{i} {way}"));
            between = ", ";
        }
        self.query.push(" LIMIT ").push_bind(page.limit.saturating_add(1));
        Ok(())
    }
}

/// The rows of a page, of which there is one more when another follows, and the token of that.
pub fn cut<T>(mut rows: Vec<Keyed<T>>, page: &Page) -> (Vec<T>, Option<String>) {
    let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let token = rows.last().filter(|_| more).map(|last| page.token(&last.keys));
    (rows.into_iter().map(|keyed| keyed.row).collect(), token)
}

/// That a row stands behind one with the keys `after`, of which those before the `i`-th are alike.
fn behind(query: &mut Query, keys: &[Key], after: &[store::Value], i: usize) {
    let (Some(key), Some(value)) = (keys.get(i), after.get(i)) else {
        query.push("FALSE");
        return;
    };
    if key.alike {
        return behind(query, keys, after, i + 1);
    }
    let (name, beyond) = (format!("{KEY}{i}"), if key.ascending { ">" } else { "<" });
    if matches!(value, store::Value::Integer(None) | store::Value::Real(None) | store::Value::Text(None)) {
        query.push(format!("({name} IS NULL AND "));
        behind(query, keys, after, i + 1);
    } else if key.maybe {
        query.push(format!("({name} {beyond} ")).push_bind(value.clone());
        query.push(format!(" OR {name} IS NULL OR ({name} = ")).push_bind(value.clone()).push(" AND ");
        behind(query, keys, after, i + 1);
        query.push(")");
    } else {
        // In this form an index can be entered at the value.
        query.push(format!("({name} {beyond}= ")).push_bind(value.clone());
        query.push(format!(" AND ({name} {beyond} ")).push_bind(value.clone()).push(" OR ");
        behind(query, keys, after, i + 1);
        query.push(")");
    }
    query.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Fields;

    #[test]
    fn a_page_begins_behind_the_last_row_of_the_page_before() {
        let check = |after: &[store::Value], expected: &str| {
            let page = |query: &str| Page::of(&Fields::from_query(query), 2, "things", &[]).unwrap();
            let token = page("").token(after);
            let mut list = List::of("t.name");
            list.by_maybe("t.size", Kind::Real, false);
            list.by("t.name", Kind::Text, true);
            list.from("things t");
            list.cut(&page(&if after.is_empty() { String::new() } else { format!("page_token={token}") })).unwrap();
            let expected = format!(
                "SELECT q.* FROM (SELECT t.name, t.size AS page_key_0, t.name AS page_key_1 FROM things t) q{expected} \
                 ORDER BY page_key_0 IS NULL, page_key_0 DESC, page_key_1 ASC LIMIT ?"
            );
            assert_eq!(list.query.text(), expected);
        };
        check(&[], "");
        let name = "(page_key_1 >= ? AND (page_key_1 > ? OR FALSE))";
        let size = format!("(page_key_0 < ? OR page_key_0 IS NULL OR (page_key_0 = ? AND {name}))");
        check(&[1.5.into(), "a".into()], &format!(" WHERE {size}"));
        check(&[store::Value::Text(None), "a".into()], &format!(" WHERE (page_key_0 IS NULL AND {name})"));
    }
}
