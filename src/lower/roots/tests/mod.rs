//! Tests of root assignment.
