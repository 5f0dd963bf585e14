//! What can be wrong with secrets.

/// Why the secrets file, a key or a value cannot be used. No message holds a value or a private key.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The list of recipients is empty.
    #[error("nobody may read the secrets: `recipients` is empty")]
    NoRecipients,
    /// A recipient is no public key.
    #[error("`{recipient}` is neither an `age1…` nor an `ssh-ed25519 …` public key{reason}")]
    Recipient {
        /// As written.
        recipient: String,
        /// What is wrong with it, after a colon; may be empty.
        reason: String,
    },
    /// A private key cannot be read.
    #[error("{from} holds no private key that can be used: {reason}")]
    Identity {
        /// Where the key comes from.
        from: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no private key at all.
    #[error("there is no private key to read the secrets with")]
    NoIdentity,
    /// None of the private keys belongs to a recipient of the file.
    #[error("the secrets are encrypted to other keys than {0}")]
    NotForUs(String),
    /// The bytes are not what they should be.
    #[error("the secrets cannot be read: {0}")]
    Broken(String),
    /// The secrets cannot be encrypted.
    #[error("the secrets cannot be encrypted: {0}")]
    Encrypt(String),
    /// A name that no variable can have.
    #[error("`{0}` is no name of a variable")]
    Name(String),
    /// A value that cannot be handed to a program.
    #[error("the value of `{0}` holds a NUL character, which no variable can")]
    Value(String),
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
}
