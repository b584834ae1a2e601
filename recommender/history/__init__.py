"""What was listened to: imported, exported, and turned into seeds of lists."""
