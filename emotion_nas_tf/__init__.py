"""EmotionNAS: architecture search for speech emotion recognition."""
