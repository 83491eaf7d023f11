"""The promise: owns bytes and rows from the shutter on. Keep, seal, deliver, prove, recover."""
