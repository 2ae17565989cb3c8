"""What Python lacks, or imports too slowly for a prompt: records, moments, JSON text, clean text, errors."""
