"""Paper trading: practise buying and selling shares with pretend money."""
