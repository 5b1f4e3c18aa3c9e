// pages/verify of the mini program: WeChat's face check for the session in the link; base library 3.8.12 or newer.
const BRIDGE = "https://bridge.example.org";

function post(path, data) {
  return new Promise((resolve, reject) =>
    wx.request({ url: BRIDGE + path, method: "POST", data, success: resolve, fail: reject }),
  );
}

Page({
  data: { message: "", busy: false },

  onLoad({ token }) {
    this.token = token;
  },

  // The page has one button, and says before it what is checked, for whom, and that it may be declined.
  async verify() {
    this.setData({ busy: true, message: "" });
    try {
      const { code } = await wx.login();
      const started = await post(`/mini/${this.token}/start`, { code });
      if (started.statusCode !== 200) throw new Error("start");
      // Its own answer is not believed: the bridge asks WeChat.
      await new Promise((complete) => wx.requestFacialVerify({ verifyId: started.data.verify_id, complete }));
      const done = await post(`/mini/${this.token}/done`, {});
      if (done.statusCode !== 200) throw new Error("done");
      this.setData({ message: "核验已结束，请回到聊天查看结果。" });
    } catch (error) {
      this.setData({ message: "没有完成，请再试一次。", busy: false });
    }
  },
});
