//! A small ISO 9660 image, the form in which a virtual machine reads its seed.
//!
//! ECMA-119 with one directory and nothing more: readers show the names in small letters and without their version.

const SECTOR: usize = 2048;
/// Where the parts stand: the descriptor follows 16 sectors that belong to the system.
const DESCRIPTOR: usize = 16;
const TABLE_LITTLE: u32 = 18;
const TABLE_BIG: u32 = 19;
const ROOT: u32 = 20;
const FILES: u32 = 21;

/// An image with a label and some files in its only directory.
#[must_use]
pub fn image(label: &str, files: &[(&str, String)]) -> Vec<u8> {
    let mut sorted: Vec<(String, &[u8])> =
        files.iter().map(|(name, text)| (format!("{};1", name.to_uppercase()), text.as_bytes())).collect();
    sorted.sort();
    let mut root = record(&[0], ROOT, SECTOR, true);
    root.extend(record(&[1], ROOT, SECTOR, true));
    let mut content = Vec::new();
    for (name, bytes) in &sorted {
        let at = FILES + u32::try_from(content.len() / SECTOR).unwrap_or_default();
        root.extend(record(name.as_bytes(), at, bytes.len(), false));
        content.extend_from_slice(bytes);
        content.resize(content.len().next_multiple_of(SECTOR), 0);
    }
    let sectors = FILES + u32::try_from(content.len() / SECTOR).unwrap_or_default();
    let mut out = vec![0; DESCRIPTOR * SECTOR];
    push(&mut out, descriptor(label, sectors));
    push(&mut out, [&[255], b"CD001".as_slice(), &[1]].concat());
    push(&mut out, table(ROOT.to_le_bytes(), 1u16.to_le_bytes()));
    push(&mut out, table(ROOT.to_be_bytes(), 1u16.to_be_bytes()));
    push(&mut out, root);
    out.extend(content);
    out
}

/// A sector.
fn push(out: &mut Vec<u8>, mut bytes: Vec<u8>) {
    bytes.resize(SECTOR, 0);
    out.extend(bytes);
}

fn both16(value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d]
}

fn both32(value: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Text with blanks behind it.
fn padded(text: &str, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().take(length).collect();
    bytes.resize(length, b' ');
    bytes
}

fn descriptor(label: &str, sectors: u32) -> Vec<u8> {
    // A time that is not said: sixteen digits and a zone.
    let time = [b"0000000000000000".as_slice(), &[0]].concat();
    [
        [1].to_vec(),
        b"CD001".to_vec(),
        vec![1, 0],
        padded("LINUX", 32),
        padded(label, 32),
        vec![0; 8],
        both32(sectors).to_vec(),
        vec![0; 32],
        both16(1).to_vec(),
        both16(1).to_vec(),
        both16(2048).to_vec(),
        both32(10).to_vec(),
        TABLE_LITTLE.to_le_bytes().to_vec(),
        vec![0; 4],
        TABLE_BIG.to_be_bytes().to_vec(),
        vec![0; 4],
        record(&[0], ROOT, SECTOR, true),
        padded("", 128),
        padded("", 128),
        padded("", 128),
        padded("PLIMSOLL", 128),
        padded("", 37),
        padded("", 37),
        padded("", 37),
        time.repeat(4),
        vec![1, 0],
    ]
    .concat()
}

/// The table of directories, which holds the root alone.
fn table(root: [u8; 4], parent: [u8; 2]) -> Vec<u8> {
    [[1, 0].as_slice(), &root, &parent, &[0, 0]].concat()
}

/// An entry of a directory.
fn record(name: &[u8], at: u32, length: usize, is_directory: bool) -> Vec<u8> {
    let size = u32::try_from(length).unwrap_or(u32::MAX);
    let name_length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut out = [
        [0, 0].as_slice(),
        &both32(at),
        &both32(size),
        &[0; 7],
        &[if is_directory { 2 } else { 0 }, 0, 0],
        &both16(1),
        &[name_length],
        name,
    ]
    .concat();
    if out.len() % 2 == 1 {
        out.push(0);
    }
    let length = u8::try_from(out.len()).unwrap_or(u8::MAX);
    if let Some(first) = out.first_mut() {
        *first = length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_where_the_standard_wants_them() {
        let image =
            image("cidata", &[("user-data", "#cloud-config\n".to_owned()), ("meta-data", "x".repeat(3000))]);
        assert_eq!(image.len() % SECTOR, 0);
        assert_eq!(image.len() / SECTOR, 21 + 2 + 1);
        let volume = &image[16 * SECTOR..17 * SECTOR];
        assert_eq!(&volume[..7], b"\x01CD001\x01");
        assert_eq!(&volume[40..46], b"cidata");
        assert_eq!(volume[80..88], both32(24));
        assert_eq!(volume[128..132], both16(2048));
        // The root's own record, and the version of the structure behind four times.
        assert_eq!((volume[156], volume[158], volume[881]), (34, 20, 1));
        assert_eq!(&image[17 * SECTOR..17 * SECTOR + 7], b"\xffCD001\x01");
        let root = &image[20 * SECTOR..21 * SECTOR];
        // Two records of 34 bytes for the directory itself, then files in order of their names.
        let name = |at: usize| {
            String::from_utf8_lossy(&root[at + 33..at + 33 + usize::from(root[at + 32])]).into_owned()
        };
        let next = 68 + usize::from(root[68]);
        assert_eq!((name(68).as_str(), name(next).as_str()), ("META-DATA;1", "USER-DATA;1"));
        let at = u32::from_le_bytes(root[next + 2..next + 6].try_into().unwrap()) as usize * SECTOR;
        assert_eq!(&image[at..at + 14], b"#cloud-config\n");
    }
}
