"""From samples to features: log-Mel spectrograms and handcrafted descriptors."""
