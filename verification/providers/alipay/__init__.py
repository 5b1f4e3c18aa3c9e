"""Alipay's identity verification: the person passes a face check in Alipay, on the phone that opened our page."""
