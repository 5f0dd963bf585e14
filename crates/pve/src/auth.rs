//! Who asks.

use std::fmt;
use std::str::FromStr;

use crate::Secret;

/// An API token: `user@realm!name=secret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `user@realm!name`.
    pub id: String,
    /// The secret that the node showed once.
    pub secret: Secret,
}

/// Text that is no token. It never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No `=`.
    #[error("a token is `user@realm!name=secret`; there is no `=`")]
    NoSecret,
    /// No `!`, or nothing around it.
    #[error("a token is `user@realm!name=secret`; the part before `=` names no token of a user")]
    NoName,
    /// `;`, `%` or white space, which the node cuts at or decodes.
    #[error("a token has no `;`, no `%` and no white space")]
    Character,
}

impl Token {
    /// The user that the token belongs to.
    pub fn user(&self) -> &str {
        self.id.split('!').next().unwrap_or_default()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Splits at the last `=`, as the node does.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let (id, secret) = text.rsplit_once('=').ok_or(TokenError::NoSecret)?;
        let (user, name) = id.split_once('!').ok_or(TokenError::NoName)?;
        let full = user.rsplit_once('@').is_some_and(|(user, realm)| !user.is_empty() && !realm.is_empty());
        if !full || name.is_empty() {
            return Err(TokenError::NoName);
        }
        if text.contains([';', '%']) || text.contains(char::is_whitespace) {
            return Err(TokenError::Character);
        }
        if secret.is_empty() {
            return Err(TokenError::NoSecret);
        }
        Ok(Self { id: id.to_owned(), secret: Secret::new(secret) })
    }
}

/// What the client proves itself with.
#[derive(Clone)]
pub enum Credentials {
    /// A token: the usual case.
    Token(Token),
    /// A password, exchanged for a ticket that is renewed. What only `root@pam` may do needs this; no token suffices.
    Password {
        /// `user@realm`.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => write!(f, "Token({})", token.id),
            Self::Password { user, .. } => write!(f, "Password({user})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_split_at_the_last_equals_sign() {
        let token: Token = "deploy@pve!a=b=0000".parse().unwrap();
        assert_eq!(
            (token.id.as_str(), token.secret.expose(), token.user()),
            ("deploy@pve!a=b", "0000", "deploy@pve")
        );
    }

    #[test]
    fn errors_and_debug_show_no_secret() {
        for (text, error) in [
            ("hunter2", TokenError::NoSecret),
            ("deploy@pve=hunter2", TokenError::NoName),
            ("deploy!ci=hunter2", TokenError::NoName),
            ("deploy@pve!ci=hunter2;x", TokenError::Character),
            ("deploy@pve!ci=", TokenError::NoSecret),
        ] {
            assert_eq!(text.parse::<Token>().unwrap_err(), error);
            assert!(!error.to_string().contains("hunter2"));
        }
        let credentials = Credentials::Token("deploy@pve!ci=hunter2".parse().unwrap());
        assert_eq!(format!("{credentials:?}"), "Token(deploy@pve!ci)");
    }
}
