"""Files that go beside a design as they are, for whoever talks to it."""
