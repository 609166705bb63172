//! A cursor over the tokens of `wast`'s lexer, which can be taken back: names are collected before anything is read.
//!
//! Nothing here recurses, so text may nest as deep as it likes.

use crate::fault::{Error, Result};
use std::borrow::Cow;
use wast::lexer::{Lexer, Token, TokenKind};
use wast::parser::{Parse, ParseBuffer};

/// The tokens of a text, without comments and blanks.
pub struct Tokens<'a> {
    src: &'a str,
    list: Vec<Token>,
    /// For each `(`: where its `)` is.
    ends: Vec<u32>,
}

impl<'a> Tokens<'a> {
    /// Splits a text.
    ///
    /// # Errors
    ///
    /// What is no token, and parentheses that do not match.
    pub fn new(src: &'a str) -> Result<Tokens<'a>> {
        let mut lexer = Lexer::new(src);
        lexer.allow_confusing_unicode(true);
        let (mut list, mut ends, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for token in lexer.iter(0) {
            let token = token.map_err(|err| of_wast(src, &err, 0))?;
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment | TokenKind::Whitespace => continue,
                TokenKind::LParen => open.push(list.len()),
                TokenKind::RParen => {
                    let Some(start) = open.pop() else { return Err(error(src, token.offset, "unexpected `)`")) };
                    ends[start] = list.len() as u32;
                }
                _ => {}
            }
            list.push(token);
            ends.push(0);
        }
        match open.pop() {
            Some(start) => Err(error(src, list[start].offset, "`(` without `)`")),
            None => Ok(Tokens { src, list, ends }),
        }
    }

    /// A cursor at the first token.
    pub fn cursor(&self) -> Cursor<'_, 'a> {
        Cursor { tokens: self, at: 0, end: self.list.len() }
    }
}

/// An error of the text, with line and column.
pub fn error(src: &str, offset: usize, message: impl std::fmt::Display) -> Error {
    let (line, column) = line_column(src, offset);
    Error::Invalid { offset, message: format!("{}:{}: {message}", line + 1, column + 1) }
}

fn line_column(src: &str, offset: usize) -> (usize, usize) {
    let before = src.as_bytes().get(..offset).unwrap_or(src.as_bytes());
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    (before.iter().filter(|&&b| b == b'\n').count(), before.len() - start)
}

/// An error of `wast`'s for a part of the text.
fn of_wast(src: &str, err: &wast::Error, base: usize) -> Error {
    error(src, base + err.span().offset(), err.message())
}

/// A place in the tokens, and where the enclosing parentheses end.
#[derive(Clone, Copy)]
pub struct Cursor<'t, 'a> {
    tokens: &'t Tokens<'a>,
    at: usize,
    end: usize,
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// The text.
    pub fn src(&self) -> &'a str {
        self.tokens.src
    }

    fn token(&self) -> Option<&'t Token> {
        self.tokens.list.get(self.at).filter(|_| self.at < self.end)
    }

    /// Whether nothing is left within the parentheses.
    pub fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// Where the next token is, in bytes.
    pub fn offset(&self) -> usize {
        self.tokens.list.get(self.at).map_or(self.tokens.src.len(), |token| token.offset)
    }

    /// An error at the next token.
    pub fn error(&self, message: impl std::fmt::Display) -> Error {
        error(self.tokens.src, self.offset(), message)
    }

    /// The error for anything that can not be here.
    pub fn unexpected<T>(&self, wanted: &str) -> Result<T> {
        let found = match self.token() {
            Some(token) => format!("`{}`", token.src(self.tokens.src)),
            None => "the end".to_string(),
        };
        Err(self.error(format!("unexpected token {found}, expected {wanted}")))
    }

    /// The keyword that is next, which stays.
    pub fn peek_keyword(&self) -> Option<&'a str> {
        let token = self.token()?;
        matches!(token.kind, TokenKind::Keyword | TokenKind::Reserved).then(|| token.src(self.tokens.src))
    }

    /// The keyword behind the `(` that is next.
    pub fn peek_form(&self) -> Option<&'a str> {
        self.is_open().then(|| Cursor { at: self.at + 1, ..*self }.peek_keyword()).flatten()
    }

    /// Whether a `(` is next.
    pub fn is_open(&self) -> bool {
        self.token().is_some_and(|token| token.kind == TokenKind::LParen)
    }

    /// Whether a `)` is next, within what was not entered by [`Cursor::form`].
    pub fn is_close(&self) -> bool {
        self.token().is_some_and(|token| token.kind == TokenKind::RParen)
    }

    /// Goes on behind the next token, whatever it is.
    pub fn skip(&mut self) {
        self.at += 1;
    }

    /// Goes on behind the form that is next.
    pub fn skip_form(&mut self) {
        self.at = if self.is_open() { self.tokens.ends[self.at] as usize + 1 } else { self.at + 1 };
    }

    /// The inside of the form that is next, behind which it goes on.
    pub fn form(&mut self) -> Result<Cursor<'t, 'a>> {
        if !self.is_open() {
            return self.unexpected("`(`");
        }
        let inner = Cursor { tokens: self.tokens, at: self.at + 1, end: self.tokens.ends[self.at] as usize };
        self.skip_form();
        Ok(inner)
    }

    /// The form that is next with its parentheses, behind which this goes on.
    pub fn first_form(&mut self) -> Result<Cursor<'t, 'a>> {
        if !self.is_open() {
            return self.unexpected("`(`");
        }
        let end = self.tokens.ends[self.at] as usize + 1;
        let form = Cursor { tokens: self.tokens, at: self.at, end };
        self.at = end;
        Ok(form)
    }

    /// Takes a keyword, if it is next.
    pub fn eat(&mut self, word: &str) -> bool {
        let is = self.peek_keyword() == Some(word);
        self.at += usize::from(is);
        is
    }

    /// The inside of a form that begins with a keyword, if such a one is next.
    pub fn eat_form(&mut self, word: &str) -> Option<Cursor<'t, 'a>> {
        if self.peek_form() != Some(word) {
            return None;
        }
        let mut inner = self.form().ok()?;
        inner.skip();
        Some(inner)
    }

    /// A keyword.
    pub fn keyword(&mut self) -> Result<&'a str> {
        match self.peek_keyword() {
            Some(word) => {
                self.at += 1;
                Ok(word)
            }
            None => self.unexpected("a keyword"),
        }
    }

    /// A name `$x`, if one is next, without the `$`.
    pub fn id(&mut self) -> Result<Option<Cow<'a, str>>> {
        let Some(token) = self.token().filter(|token| token.kind == TokenKind::Id) else { return Ok(None) };
        let id = token.id(self.tokens.src).map_err(|err| of_wast(self.tokens.src, &err, 0))?;
        self.at += 1;
        Ok(Some(id))
    }

    /// Whether a name or a number is next.
    pub fn is_index(&self) -> bool {
        self.token().is_some_and(|token| matches!(token.kind, TokenKind::Id | TokenKind::Integer(_)))
    }

    /// Whether a number is next.
    pub fn is_integer(&self) -> bool {
        self.token().is_some_and(|token| matches!(token.kind, TokenKind::Integer(_)))
    }

    /// Whether a string is next.
    pub fn is_string(&self) -> bool {
        self.token().is_some_and(|token| token.kind == TokenKind::String)
    }

    /// A string.
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>> {
        let Some(token) = self.token().filter(|token| token.kind == TokenKind::String) else {
            return self.unexpected("a string");
        };
        self.at += 1;
        Ok(token.string(self.tokens.src))
    }

    /// A string of characters.
    pub fn name(&mut self) -> Result<String> {
        let before = *self;
        let bytes = self.string()?;
        String::from_utf8(bytes.into_owned()).map_err(|_| before.error("malformed UTF-8 encoding"))
    }

    /// So many tokens, read by `wast`.
    pub fn parse<T>(&mut self, count: usize) -> Result<T>
    where
        T: for<'b> Parse<'b>,
    {
        let last = self.at + count.saturating_sub(1);
        let (Some(first), Some(last)) = (self.token(), self.tokens.list.get(last).filter(|_| last < self.end)) else {
            return self.unexpected("a number");
        };
        let (start, end) = (first.offset, last.offset + last.len as usize);
        let src = self.tokens.src;
        let part = &src[start..end];
        let buffer = ParseBuffer::new(part).map_err(|err| of_wast(src, &err, start))?;
        let value = wast::parser::parse::<T>(&buffer).map_err(|err| of_wast(src, &err, start))?;
        self.at += count;
        Ok(value)
    }

    /// A number.
    pub fn u32(&mut self) -> Result<u32> {
        if !self.is_integer() {
            return self.unexpected("a number");
        }
        self.parse(1)
    }

    /// An error if anything is left.
    pub fn finish(&self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { self.unexpected("`)`") }
    }

    /// The text of the form that is next.
    pub fn text(&self) -> &'a str {
        let start = self.offset();
        let mut behind = *self;
        behind.skip_form();
        let last = self.tokens.list.get(behind.at.saturating_sub(1));
        let end = last.map_or(start, |token| token.offset + token.len as usize);
        self.tokens.src.get(start..end).unwrap_or_default()
    }
}
