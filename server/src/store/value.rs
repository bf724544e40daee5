//! The few kinds of values that our columns hold.

/// A value on its way into a statement.
#[derive(Clone, Debug)]
pub enum Value {
    /// `BIGINT`; truth values are 0 and 1.
    Integer(Option<i64>),
    /// `DOUBLE PRECISION`.
    Real(Option<f64>),
    /// `TEXT`.
    Text(Option<String>),
    /// Ids of ours: the list of an `IN`.
    Ids(Vec<i64>),
}

macro_rules! values {
    ($($from:ty => |$value:ident| $into:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Value {
                $into
            }
        })*
    };
}

values! {
    i64 => |value| Value::Integer(Some(value));
    &i64 => |value| Value::Integer(Some(*value));
    Option<i64> => |value| Value::Integer(value);
    f64 => |value| Value::Real(Some(value));
    String => |value| Value::Text(Some(value));
    &String => |value| Value::Text(Some(value.clone()));
    &str => |value| Value::Text(Some(value.to_owned()));
    &&str => |value| Value::Text(Some((*value).to_owned()));
    Option<String> => |value| Value::Text(value);
    &Option<String> => |value| Value::Text(value.clone());
    Option<&str> => |value| Value::Text(value.map(str::to_owned));
}
