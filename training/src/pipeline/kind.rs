//! What a column holds, as a pipeline says it: a word, or `{date: FORMAT}`.

use contract::Date;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, f32.
    Numeric,
    /// Texts out of a few.
    Categorical,
    /// Dates in a format of [`contract::date`].
    Date(Date),
    /// Not a feature.
    Ignore,
}

const WORDS: [&str; 3] = ["numeric", "categorical", "ignore"];

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Kind::Numeric => serializer.serialize_str("numeric"),
            Kind::Categorical => serializer.serialize_str("categorical"),
            Kind::Ignore => serializer.serialize_str("ignore"),
            Kind::Date(date) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("date", &date.format)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Kind;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("`numeric`, `categorical`, `ignore` or `{date: \"%Y-%m-%d\"}`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Kind, E> {
        match word {
            "numeric" => Ok(Kind::Numeric),
            "categorical" => Ok(Kind::Categorical),
            "ignore" => Ok(Kind::Ignore),
            "date" => Err(E::custom("how are the dates written? for example `{date: \"%Y-%m-%d\"}`")),
            _ => Err(E::unknown_variant(word, &WORDS)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let entry: Option<(String, String)> = map.next_entry()?;
        match entry {
            Some((key, format)) if key == "date" => Date::new(&format).map(Kind::Date).map_err(A::Error::custom),
            _ => Err(A::Error::custom("the one key `date` is expected, with a format such as \"%Y-%m-%d\"")),
        }
    }
}
