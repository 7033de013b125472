"""The profile API: who is this, for the website and the support desk, as far as their key and the person allow."""
