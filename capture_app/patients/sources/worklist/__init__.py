"""The Modality Worklist (PS3.4 Annex K)."""
