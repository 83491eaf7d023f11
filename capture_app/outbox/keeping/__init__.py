"""From the shutter on: drafts, their exams and their pictures."""
