"""What a trade may risk: the plan of one trade, and the breakers of the whole account."""
