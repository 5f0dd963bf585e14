//! `$NAME` and `${NAME…}` in values.

use plimsoll_text::{Layer, LayerBuilder, Place};

use super::{Operator, ProblemKind, Variable, VariableSource};

/// Deepest nesting of defaults in defaults.
const MAX_DEPTH: usize = 40;

/// What interpolation made of a text.
pub(super) struct Interpolated {
    /// The text; what a variable put in maps to the whole `${…}`.
    pub(super) layer: Layer,
    pub(super) variables: Vec<Variable>,
    pub(super) mistakes: Vec<Mistake>,
}

/// Something to report about an interpolation.
pub(super) struct Mistake {
    pub(super) kind: ProblemKind,
    pub(super) place: Place,
    pub(super) message: String,
}

/// Where variables are looked up.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<(String, VariableSource)>;

/// Replaces every variable of a text.
pub(super) fn interpolate(text: &Layer, lookup: Lookup<'_>) -> Interpolated {
    if !text.text().contains('$') {
        return Interpolated { layer: text.clone(), variables: Vec::new(), mistakes: Vec::new() };
    }
    let mut run = Run { lookup, variables: Vec::new(), mistakes: Vec::new() };
    let layer = run.substitute(text, 0);
    Interpolated { layer, variables: run.variables, mistakes: run.mistakes }
}

struct Run<'a> {
    lookup: Lookup<'a>,
    variables: Vec<Variable>,
    mistakes: Vec<Mistake>,
}

impl Run<'_> {
    fn mistake(&mut self, kind: ProblemKind, place: Place, message: String) {
        self.mistakes.push(Mistake { kind, place, message });
    }

    fn substitute(&mut self, layer: &Layer, depth: usize) -> Layer {
        let text = layer.text();
        let mut builder = LayerBuilder::new(layer, 0);
        let mut at = 0;
        while let Some(dollar) = text.get(at..).and_then(|rest| rest.find('$')).map(|found| at + found) {
            builder.verbatim(at..dollar);
            let rest = text.get(dollar + 1..).unwrap_or_default();
            let end = match rest.bytes().next() {
                Some(b'$') => {
                    builder.decoded("$", dollar..dollar + 2);
                    dollar + 2
                }
                Some(b'{') => self.braced(layer, dollar, &mut builder, depth),
                _ => {
                    let length = name_length(rest);
                    let end = dollar + 1 + length;
                    if length == 0 {
                        builder.verbatim(dollar..end);
                    } else {
                        let name = rest.get(..length).unwrap_or_default();
                        let place = layer.place(dollar..end);
                        let value = self.plain(name, place);
                        builder.decoded(&value, dollar..end);
                    }
                    end
                }
            };
            at = end;
        }
        builder.verbatim(at..text.len());
        builder.finish()
    }

    /// Reads `${…}` at a dollar sign, adds what it stands for, and gives the end of it.
    fn braced(
        &mut self,
        layer: &Layer,
        dollar: usize,
        builder: &mut LayerBuilder<'_>,
        depth: usize,
    ) -> usize {
        let text = layer.text();
        let start = dollar + 2;
        let body = text.get(start..).unwrap_or_default();
        let length = name_length(body);
        let name = body.get(..length).unwrap_or_default();
        let close = closing_brace(body);
        let Some(close) = close.filter(|_| length > 0 && depth < MAX_DEPTH) else {
            return self.invalid(layer, dollar, text.len(), builder);
        };
        let end = start + close + 1;
        let place = layer.place(dollar..end);
        if close == length {
            let value = self.plain(name, place);
            builder.decoded(&value, dollar..end);
            return end;
        }
        let rest = body.get(length..close).unwrap_or_default();
        let (even_empty, after) = match rest.strip_prefix(':') {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let argument_start = start + length + usize::from(even_empty) + 1;
        let argument = layer.slice(argument_start..start + close);
        let written = argument.text().to_owned();
        let operator = match after.chars().next() {
            Some('-') => Operator::Default { text: written, even_empty },
            Some('?') => Operator::Required { text: written, even_empty },
            Some('+') => Operator::Alternate { text: written, even_empty },
            _ => return self.invalid(layer, dollar, end, builder),
        };
        let own = self.variables.len();
        let found = (self.lookup)(name);
        let is_set = found.as_ref().is_some_and(|(value, _)| !even_empty || !value.is_empty());
        self.variables.push(Variable {
            name: name.to_owned(),
            operator: operator.clone(),
            place,
            source: VariableSource::Operator,
            value: String::new(),
        });
        // The argument is resolved even where it is not used, as Compose does.
        let argument = self.substitute(&argument, depth + 1).text().to_owned();
        let of_variable =
            |found: Option<(String, VariableSource)>| found.unwrap_or((String::new(), VariableSource::Unset));
        let (value, source) = match operator {
            Operator::Default { .. } if is_set => of_variable(found),
            Operator::Default { .. } => (argument, VariableSource::Operator),
            Operator::Alternate { .. } if is_set => (argument, VariableSource::Operator),
            Operator::Alternate { .. } => of_variable(found),
            Operator::Required { .. } if is_set => of_variable(found),
            Operator::Required { .. } | Operator::None => {
                let reason = if argument.is_empty() { String::new() } else { format!(": {argument}") };
                self.mistake(
                    ProblemKind::RequiredVariable,
                    place,
                    format!("the required variable `{name}` has no value{reason}"),
                );
                (String::new(), VariableSource::Unset)
            }
        };
        if let Some(variable) = self.variables.get_mut(own) {
            variable.value.clone_from(&value);
            variable.source = source;
        }
        builder.decoded(&value, dollar..end);
        end
    }

    fn plain(&mut self, name: &str, place: Place) -> String {
        let found = (self.lookup)(name);
        if found.is_none() {
            let message = format!("nothing sets the variable `{name}`; it stands for an empty text");
            self.mistake(ProblemKind::UnsetVariable, place, message);
        }
        let (value, source) = found.unwrap_or((String::new(), VariableSource::Unset));
        self.variables.push(Variable {
            name: name.to_owned(),
            operator: Operator::None,
            place,
            source,
            value: value.clone(),
        });
        value
    }

    fn invalid(&mut self, layer: &Layer, from: usize, to: usize, builder: &mut LayerBuilder<'_>) -> usize {
        let message = "this interpolation cannot be read; write `$$` for a dollar sign".to_owned();
        self.mistake(ProblemKind::Interpolation, layer.place(from..to), message);
        builder.verbatim(from..to);
        to
    }
}

/// Length of the name of a variable at the start of a text.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// The brace that closes a `${` before this text, on the same line.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_text::Files;

    fn run(text: &str) -> (Files, Interpolated) {
        let files = Files::new([("x".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        let layer = Layer::whole(id, file);
        let lookup = |name: &str| match name {
            "A" => Some(("1".to_owned(), VariableSource::Shell)),
            "EMPTY" => Some((String::new(), VariableSource::Shell)),
            _ => None,
        };
        let done = interpolate(&layer, &lookup);
        (files, done)
    }

    fn text(of: &str) -> String {
        run(of).1.layer.text().to_owned()
    }

    #[test]
    fn all_operators() {
        for (source, expected) in [
            ("$A-${A}-$$A-$1-$", "1-1-$A-$1-$"),
            ("${A:-x} ${U:-x} ${EMPTY:-x} ${EMPTY-x} ${U-x}", "1 x x  x"),
            ("${A:+x}|${U:+x}|${EMPTY:+x}|${EMPTY+x}|${U+x}", "x|||x|"),
            ("${A:?m} ${EMPTY?m}", "1 "),
            ("${U:-${A}-${V:-y}}/z", "1-y/z"),
            ("${U:-{\"a\": {}}}", "{\"a\": {}}"),
        ] {
            assert_eq!(text(source), expected, "{source}");
        }
    }

    #[test]
    fn every_variable_is_named_with_its_place_and_source() {
        let (files, done) = run("x ${U:-$A} $W");
        let seen: Vec<_> = done
            .variables
            .iter()
            .map(|v| (v.name.as_str(), files.slice(v.place), v.source, v.value.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("U", "${U:-$A}", VariableSource::Operator, "1"),
                ("A", "$A", VariableSource::Shell, "1"),
                ("W", "$W", VariableSource::Unset, ""),
            ]
        );
        assert_eq!(done.mistakes.len(), 1);
        assert_eq!(files.slice(done.layer.place(2..3)), "${U:-$A}");
    }

    #[test]
    fn broken_ones_are_reported_and_kept() {
        for source in ["${", "${}", "${A", "${A!x}", "${1}", "a ${A:-\n}"] {
            let (_, done) = run(source);
            assert_eq!(done.mistakes[0].kind, ProblemKind::Interpolation, "{source}");
            assert_eq!(done.layer.text(), source);
        }
        let (_, done) = run(&"${U:-".repeat(5000));
        assert!(!done.mistakes.is_empty());
    }
}
