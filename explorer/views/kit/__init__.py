"""What every feature's views share: HTML pieces, numbers, words, colours and CSV."""
