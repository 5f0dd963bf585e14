//! Making values that nobody can guess.

use age::secrecy::SecretString;
use plimsoll_config::Generate;

use crate::SecretsError;

/// A new value, each character drawn evenly from the alphabet.
///
/// `random` fills a buffer with bytes that nobody can foresee. Bytes beyond the largest multiple of the alphabet's
/// size are thrown away, because taking them would make its first characters likelier.
///
/// # Errors
/// What `random` says.
pub fn generate(
    how: Generate,
    mut random: impl FnMut(&mut [u8]) -> Result<(), SecretsError>,
) -> Result<SecretString, SecretsError> {
    let alphabet = how.alphabet.characters().as_bytes();
    let even = 256 - 256 % alphabet.len();
    let mut value = String::with_capacity(how.length);
    let mut bytes = [0_u8; 64];
    while value.len() < how.length {
        random(&mut bytes)?;
        let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < even);
        let drawn = drawn.filter_map(|byte| alphabet.get(byte % alphabet.len()));
        value.extend(drawn.take(how.length - value.len()).map(|byte| char::from(*byte)));
    }
    Ok(SecretString::from(value))
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;
    use plimsoll_config::Alphabet;

    use super::*;

    #[test]
    fn every_character_of_the_alphabet_is_equally_likely() {
        for alphabet in Alphabet::ALL {
            let all = alphabet.characters();
            // Each byte once, over and over.
            let mut next = 0_u8;
            let random = |buffer: &mut [u8]| {
                for byte in buffer {
                    *byte = next;
                    next = next.wrapping_add(1);
                }
                Ok(())
            };
            let even = 256 / all.len() * all.len();
            let made = generate(Generate { length: even, alphabet }, random).unwrap();
            for character in all.chars() {
                let count = made.expose_secret().chars().filter(|c| *c == character).count();
                assert_eq!(count, even / all.len(), "{character} of {}", alphabet.name());
            }
        }
    }

    #[test]
    fn without_randomness_there_is_no_value() {
        let none = |_: &mut [u8]| Err(SecretsError::Random("no entropy".to_owned()));
        assert!(generate(Generate { length: 8, alphabet: Alphabet::Hex }, none).is_err());
    }
}
