"""The trail: every act is recorded in the transaction of the act, in a chain of keyed hashes."""
