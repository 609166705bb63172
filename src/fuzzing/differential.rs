//! Lowered modules do what they do on the engine's own collector.
