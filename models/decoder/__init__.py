"""The decoder: numbered evidence in, a cited and verified answer out."""
