"""Tencent Cloud FaceID: the person passes a face check in WeChat, which the vendor compares with the police's photo."""
