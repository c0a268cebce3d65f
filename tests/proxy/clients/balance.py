"""Reads a balance by Stripe's own library, which insists on a key: as a program that knows a base URL and nothing else."""

import os

import stripe

client = stripe.StripeClient(os.environ["SHOP_TOKEN"], base_addresses={"api": os.environ["SHOP_BASE_URL"]})
print(client.v1.balance.retrieve().object)
print(client.v1.customers.create({"name": "a b"}).object)
