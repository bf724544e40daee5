//! Who may do what: permissions of routes, roles, and what a route's requests are about. Nothing here knows a store.
//!
//! On loopback, or with `--auth none`, whoever reaches the server may do everything. What guards it there is that no
//! page of another site can speak for a person: the Host must be a name of this machine (DNS rebinding), and a request
//! that changes something must come from this very origin (CSRF).

pub mod caller;
pub mod demand;
pub mod origin;

use std::fmt;
use std::str::FromStr;

/// What a route demands. Every route says it where it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// For everybody and from pages of any origin: the npm package, health.
    Public,
    /// Sign in and out: for everybody, from pages of this origin.
    SignIn,
    /// Fetch a module, from pages of any origin.
    Module,
    /// Write counters, from pages of any origin; reads nothing.
    Ingest,
    /// Read what is tracked.
    Read,
    /// Ask for predictions.
    Predict,
    /// Change what is tracked, or make the server work (compile).
    Write,
    /// Change what is served: aliases, stages, versions that go.
    Deploy,
    /// Take away or rename what others build upon.
    Admin,
}

impl Permission {
    /// True when pages of other origins may use the route (CORS).
    pub fn any_origin(self) -> bool {
        matches!(self, Permission::Public | Permission::Module | Permission::Ingest)
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Counters in, modules out: for the hosts that run models. In a page everybody can read it.
    Ingest,
    /// Read, and ask for predictions.
    Viewer,
    /// Also log runs and register models.
    Logger,
    /// Also move aliases and stages, and what hosts do.
    Deployer,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 5] = [Role::Ingest, Role::Viewer, Role::Logger, Role::Deployer, Role::Admin];

    /// Whether the role is enough for a route.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Public | Permission::SignIn | Permission::Module => true,
            Permission::Ingest => matches!(self, Role::Ingest | Role::Deployer | Role::Admin),
            Permission::Read | Permission::Predict => self >= Role::Viewer,
            Permission::Write => self >= Role::Logger,
            Permission::Deploy => self >= Role::Deployer,
            Permission::Admin => self == Role::Admin,
        }
    }

    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Ingest => "ingest",
            Role::Viewer => "viewer",
            Role::Logger => "logger",
            Role::Deployer => "deployer",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let found = Role::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| format!("a role is one of {}", Role::ALL.map(Role::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_may() {
        use Permission::{Admin, Deploy, Ingest, Module, Predict, Public, Read, Write};
        let check = |role: &str, expected: &[Permission]| {
            let role: Role = role.parse().unwrap();
            let all = [Public, Module, Ingest, Read, Predict, Write, Deploy, Admin];
            assert_eq!(all.into_iter().filter(|one| role.may(*one)).collect::<Vec<_>>(), expected, "{role}");
        };
        check("ingest", &[Public, Module, Ingest]);
        check("viewer", &[Public, Module, Read, Predict]);
        check("logger", &[Public, Module, Read, Predict, Write]);
        check("deployer", &[Public, Module, Ingest, Read, Predict, Write, Deploy]);
        check("admin", &[Public, Module, Ingest, Read, Predict, Write, Deploy, Admin]);
        assert_eq!("root".parse::<Role>().unwrap_err(), "a role is one of ingest, viewer, logger, deployer, admin");
    }
}
