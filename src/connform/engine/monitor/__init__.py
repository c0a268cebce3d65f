"""The verb `monitor`: checks connections again and again, until it is stopped. Layer 3; uses the network, and the state database."""
