//! The files of a build, and places in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::limits::{FOLDER_DEPTH_MAX, SOURCE_BYTES_MAX, SOURCE_FILES_MAX};

/// Index of a file in its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A stretch of a file, in bytes; `end` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as it was given, for people.
    pub path: String,
    /// The folder it stands in: files of one folder share a `[pack]` and `[defaults]`.
    pub folder: PathBuf,
    /// Its content.
    pub text: String,
    line_starts: Vec<usize>,
}

/// The files of a build.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    /// What list files are looked for in; on disk where there is none.
    beside: Option<HashMap<PathBuf, String>>,
}

/// Why a file isn't part of the build.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Above [`SOURCE_BYTES_MAX`].
    #[error("larger than {SOURCE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not among the texts that were handed in.
    #[error("it isn't among the sources")]
    Absent,
    /// Not text.
    #[error("not UTF-8")]
    NotUtf8,
    /// Above [`SOURCE_FILES_MAX`].
    #[error("more than {SOURCE_FILES_MAX} files")]
    TooManyFiles,
    /// Above [`FOLDER_DEPTH_MAX`].
    #[error("folders nested deeper than {FOLDER_DEPTH_MAX}")]
    TooDeep,
}

impl SourceMap {
    /// A map that never touches the disk, since who wrote the sources may be anybody: the files that `[[list]]`s name are
    /// those handed in.
    #[must_use]
    pub fn closed<'a>(beside: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let beside = beside.into_iter().map(|(path, text)| (PathBuf::from(path), text.to_owned())).collect();
        Self { files: Vec::new(), beside: Some(beside) }
    }

    /// Takes a text as a file. `path` is for people; its parent is the module's folder.
    ///
    /// # Errors
    /// More than [`SOURCE_FILES_MAX`] files, or a text above [`SOURCE_BYTES_MAX`].
    pub fn add(&mut self, path: &str, text: String) -> Result<FileId, ReadError> {
        if text.len() as u64 > SOURCE_BYTES_MAX {
            return Err(ReadError::TooLarge);
        }
        let id = u32::try_from(self.files.len()).map_err(|_| ReadError::TooManyFiles)?;
        if self.files.len() >= SOURCE_FILES_MAX {
            return Err(ReadError::TooManyFiles);
        }
        let folder = Path::new(path).parent().map(Path::to_path_buf).unwrap_or_default();
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1))).collect();
        self.files.push(SourceFile { path: path.to_owned(), folder, text, line_starts });
        Ok(FileId(id))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&mut self, path: &Path) -> Result<FileId, ReadError> {
        if let Some(beside) = &self.beside {
            let text = beside.get(path).cloned().ok_or(ReadError::Absent)?;
            return self.add(&path.display().to_string(), text);
        }
        if fs::metadata(path)?.len() > SOURCE_BYTES_MAX {
            return Err(ReadError::TooLarge);
        }
        let text = String::from_utf8(fs::read(path)?).map_err(|_| ReadError::NotUtf8)?;
        self.add(&path.display().to_string(), text)
    }

    /// The file behind an id of this map.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// What stands at a place; empty where the place is in no file of this map.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }
}

impl SourceFile {
    /// Line and column of a byte, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column =
            self.text.get(start..offset).map_or(1, |before| before.chars().count().saturating_add(1));
        (line, column)
    }

    /// A line by its number from 1, without its end, and the byte it starts at.
    #[must_use]
    pub fn line(&self, number: usize) -> Option<(&str, usize)> {
        let start = *self.line_starts.get(number.checked_sub(1)?)?;
        let line = self.text.get(start..)?.split('\n').next()?;
        Some((line.strip_suffix('\r').unwrap_or(line), start))
    }
}

/// The rule sources (`*.toml`) under a path, sorted; a file that is named itself counts whatever its name.
///
/// # Errors
/// An unreadable folder, or more files or depth than the limits allow.
pub fn source_paths(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if fs::metadata(path)?.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    walk(path, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(ReadError::TooDeep);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, depth.saturating_add(1), found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            if found.len() >= SOURCE_FILES_MAX {
                return Err(ReadError::TooManyFiles);
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::default();
        let id = map.add("a/b.toml", "甲乙\nid = 1\r\n".to_owned()).expect("small");
        let file = map.file(id).expect("just added");
        assert_eq!(file.position(3), (1, 2));
        assert_eq!(file.position(7), (2, 1));
        assert_eq!(file.position(9999), (3, 1));
        assert_eq!(file.line(2), Some(("id = 1", 7)));
        assert_eq!(file.line(0), None);
    }
}
