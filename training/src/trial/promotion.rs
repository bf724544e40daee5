//! The alias `champion` moves forward on PROMOTE, and back by one command.

use super::reference::CHAMPION;
use crate::Error;
use crate::tracking::{At, Client, Version, move_alias, version};

/// Keeps the version that was champion before.
const PREVIOUS: &str = "previous";

/// Makes `candidate` the champion. The old one is kept under `previous` first, so that whatever
/// fails in between, production still has a champion and a way back. Refused when the alias is no
/// longer where the comparison found it.
pub(super) fn promote(client: &Client, candidate: &Version, compared: Option<&Version>) -> Result<(), Error> {
    let name = &candidate.name;
    let now = version(client, name, &At::Alias(CHAMPION.to_owned()))?;
    if now.as_ref() == Some(candidate) {
        return Ok(()); // the first training made it champion
    }
    if now.as_ref() != compared {
        let say =
            |version: Option<&Version>| version.map_or("no version".to_owned(), |v| format!("version {}", v.version));
        let what = format!(
            "the alias {CHAMPION} points to {}, and the comparison was with {}: nothing is promoted; run the gate again",
            say(now.as_ref()),
            say(compared.filter(|compared| compared.name == *name))
        );
        return Err(Error::Model { reference: format!("models:/{name}@{CHAMPION}"), what });
    }
    if let Some(old) = &now {
        move_alias(client, name, PREVIOUS, &old.version)?;
    }
    move_alias(client, name, CHAMPION, &candidate.version)
}

/// Makes the version under `previous` the champion again, by one move of one alias; answers the
/// versions `(from, to)`. To do it twice changes nothing more.
pub fn roll_back(server: &str, name: &str) -> Result<(String, String), Error> {
    let client = Client::new(server)?;
    let at = |alias: &str| version(&client, name, &At::Alias(alias.to_owned()));
    let wrong =
        |alias: &str, what: &str| Error::Model { reference: format!("models:/{name}@{alias}"), what: what.to_owned() };
    let from = at(CHAMPION)?.ok_or_else(|| wrong(CHAMPION, "no version has this alias: nothing is in production"))?;
    let to = at(PREVIOUS)?.ok_or_else(|| wrong(PREVIOUS, "no version has this alias: nothing was promoted before"))?;
    if from != to {
        move_alias(&client, name, CHAMPION, &to.version)?;
    }
    Ok((from.version, to.version))
}
