"""The words of choices, commands and wishes that people type, by which `typed_input` reads texts. None is ever shown.

Words are written as they are compared: simplified, in lower case, without spaces and signs. The words of a pair are of
two kinds, a thing and what is to be done about it; a text must have both, in any order.
"""

from collections.abc import Mapping, Sequence

from bot.flow.events import Choice, Command

Pair = tuple[str, str]
"""Words of two kinds."""

CHOICES: Mapping[Choice, str] = {
    Choice.BEGIN: "开始 重新开始 认证 实名认证 begin start startverification verify",
    Choice.PERSONAL: "个人 个人认证 本人 自己 个人实名认证 personal person individual personalverification myself "
    "justme onlyme",
    Choice.MINE: "这是我的账号个人认证 是我的账号 是我的 个人认证 个人 是 是的 对 是自己的账号 "
    "mine yes thisismyaccount itismine personal thisismyaccountgoon",
    Choice.NOT_MINE: "不是我的账号 不是我的 不是 不认识 no notmine notmyaccount thisisnotmyaccount",
    Choice.ENTERPRISE: "企业 企业认证 企业用户 公司 enterprise company business",
    Choice.OVERSEAS: "港澳台 港澳台及海外 港澳台及境外 港澳 外籍 海外 境外 香港 澳门 台湾 国际站 外国人 "
    "overseas hongkong macau taiwan hkmacautaiwanoverseas foreigner",
    Choice.AGREE: "同意 同意并继续 同意授权 好 好的 可以 行 没问题 同意刷脸 agree agreed accept yes yep yeah sure ok "
    "alright goahead noproblem soundsgood ofcourse agreeandcontinue",
    Choice.NOT_NOW: "想想 考虑 考虑一下 暂不 暂不同意 不同意 先不 不要 不行 不想 不太想 拒绝 no notnow "
    "disagree dontagree notagree decline reject",
    Choice.NAME_RIGHT: "是我的姓名 是我的名字 是这个名字 是的 是 对 好的 没错 确认 嗯 真的 确实 "
    "ok okay yes yep yeah yesthatsmyname thatsmyname right correct",
    Choice.NAME_WRONG: "不是重新输入 不是我的名字 不是这个名字 不是 不对 不正确 有错 "
    "错了 填错了 打错了 输错了 写错了 "
    "不太对 不大对 重新输入 重新填 重填 "
    "no nope notypeitagain notmyname wrong wrongname itsnot somethingiswrong",
    Choice.CONFIRM: "好 好的 可以 确认 确认无误 无误 没错 没问题 正确 核对过 对 是 是的 资料无误 信息无误 "
    "资料没错 信息没错 资料没问题 信息没问题 资料正确 信息正确 资料对 信息对 下一步 随便 都行 无所谓 "
    "confirm yes correct right allcorrect looksgood allgood ok next goon goahead continue proceed "
    "everythingiscorrect everythingisright everythingcorrect everythinglooksgood any whatever",
    Choice.CHANGE_NAME: "姓名 typo",
    Choice.CHANGE_NUMBER: "号码 身份证号",
    Choice.WECHAT: "微信 wechat weixin vx",
    Choice.QQ: "qq 扣扣 企鹅",
    Choice.FACE: "人脸 刷脸 扫脸 脸 face facial",
    Choice.NETID: "网号 网证 netid networkidentity usemynetworkidentity",
    Choice.NEW_CODE: "换个新码 新码 换码 刷新 换二维码 重新获取 重新生成 过期 失效 再给我一个 新的 newcode "
    "refresh getanewcode expired newone anotherone",
    Choice.OTHER_METHOD: "换种方式 换一种 别的 anothermethod",
    Choice.TRY_AGAIN: "再试一次 重新试 重新试试 重新认证 重新验证 重试 再来一次 再来 重新来 重来 再试 继续 重新来一遍 "
    "重新扫 再扫一次 tryagain retry again continue onemoretime",
    Choice.CHANGE_DATA: "修改资料 changedata",
    Choice.FREED: "已腾出名额继续 已腾出名额 腾出名额了 腾出来 已经腾出来 空出来 注销了一个 注销了 腾出 继续 "
    "ifreedaplace freed iclosedone continue",
    Choice.DISPUTE: "对结果有异议 有异议 结果不对 这不对 不服 弄错了 搞错了 申诉 thisiswrong wrong idisagree "
    "appeal dispute",
    Choice.BACK: "返回 上一步 后退 回去 返回上一步 回上一步 回上一页 上一页 退回 退回去 back goback",
    Choice.CANCEL: "取消 取消认证 退出 算了 算啦 终止 结束认证 先取消 不要认证 不玩了 不试了 不扫了 放弃 "
    "不弄了 不办了 不做了 不搞了 不认证了 不想弄 不想办 不想做 不想搞 不想认证 "
    "cancel quit stop nevermind forgetit giveup idontwantthis idontwanttodothis",
}
"""The words of each choice. A text may say them among words that change nothing: see `FILLERS`."""

METHODS = (Choice.WECHAT, Choice.QQ, Choice.FACE)
_METHOD_WORDS = " ".join(CHOICES[method] for method in METHODS)
_NAME_WORDS = "姓名 名字 名 name"
_NUMBER_WORDS = "号码 身份证 身份证号 身份证号码 证号 number idnumber id"
_MISTAKES = (
    "改 换 别的 少 漏 不正确 修改 更改 重填 重新填 重新输入 填 写 打 输 弄 错 不对 不太对 不大对 有误 "
    "change edit fix correct another wrong iswrong misspelled typo mistake mistyped imistyped"
)

CHOICE_PAIRS: Mapping[Choice, Sequence[Pair]] = {
    Choice.CHANGE_NAME: [(_NAME_WORDS, _MISTAKES)],
    Choice.CHANGE_NUMBER: [(_NUMBER_WORDS, _MISTAKES)],
    Choice.CHANGE_DATA: [(f"{_NAME_WORDS} {_NUMBER_WORDS} 资料 信息 两个 data details", _MISTAKES)],
    Choice.NEW_CODE: [
        ("码 二维码 qrcode code", "换 新 刷新 过期 失效 重新 重新发 重新生成 new refresh expired another")
    ],
    Choice.OTHER_METHOD: [
        ("方式 方法 办法 method way", "换 其他 别的 改 other another different change"),
        (_METHOD_WORDS, "不 没 没有 别 不想 不要 dont not no without"),
    ],
    # "The data are right, with WeChat please."
    **{method: [(CHOICES[method], CHOICES[Choice.CONFIRM])] for method in METHODS},
}

COMMANDS: Mapping[Command, str] = {
    Command.START: "开始 start",
    Command.STATUS: "状态 进度 查询进度 认证进度 认证结果 到哪一步了 status progress",
    Command.BACK: f"{CHOICES[Choice.BACK]} 不改了 算了不改了 不用改了 原来的就对 原来的 tokeepit keepit leaveit",
    Command.CANCEL: f"{CHOICES[Choice.CANCEL]} 撤回 撤回同意",
    Command.FAQ: "常见问题 问题 faq questions",
    Command.HELP: "帮助 怎么用 help",
    Command.LANGUAGE: "语言 切换语言 language 中文 english 英文 chinese",
    Command.PRIVACY: "隐私 我的数据 privacy mydata",
    Command.HUMAN: "人工 转人工 人工客服 转人工客服 客服 投诉 联系人工 联系客服 human agent humanagent talktoahuman",
}

COMMAND_PAIRS: Mapping[Command, Sequence[Pair]] = {
    Command.LANGUAGE: [("语言 中文 英文 英语 english chinese", "说 讲 换 切换 切换成 switch change speak to in")],
    Command.PRIVACY: [
        (
            "信息 资料 数据 记录 历史记录 data info information details records everything",
            "删 删除 删掉 清除 清掉 清空 导出 查看 delete erase remove wipe export download",
        )
    ],
}

AGAINST_REMINDERS = "不再提醒 退订 别烦我 td unsubscribe mute"
REMINDER_PAIR: Pair = (
    "提醒 通知 消息 发 发消息 发提醒 打扰 骚扰 remind reminding reminder reminders message messages messaging sending",
    "不 不要 不用 不想 别 取消 关 关闭 关掉 停止 停 stop dont no nomore turnoff disable dontsend",
)

LINKS: Mapping[str, str] = {
    "enterprise": "企业实名认证指引 企业认证指引 enterpriseguide",
    "international": "前往国际站 去国际站 国际站 internationalsite",
    "find_accounts": "查找名下账号 查找账号 findmyaccounts",
    "console": "打开控制台 控制台 opentheconsole openconsole console",
}
"""The words of buttons that open a page, by the page's key."""

CODE = (
    "复制链接 在本机打开 再显示一次二维码 二维码 在哪 在哪里 "
    "copylink openonthisphone openhere showthecodeagain qrcode code senditagain showitagain"
)
CODE_PAIR: Pair = (
    "码 二维码 图片 图 qrcode code picture image",
    "哪 哪里 在哪 在哪里 呢 发 再发 重发 再发一次 再显示一次 看不到 看不见 找不到 没 没有 不见 "
    "where wheres whereis send show again resend",
)
"""Words of a person who looks for the code or for the buttons below it."""

DONE = "扫完 扫好 扫了 弄好 弄完 搞定 完成 授权 已授权 认证好 认证完 通过 已通过 好了 done finished scanned complete"
"""Words of a person who has done what the phone asks for."""

WHY = "为什么 为啥 为何 怎么回事 怎么会 怎么会这样 什么原因 什么情况 原因 why reason whathappened howcome"
"""Words of a person who wants to know why it did not go on; the question on the screen says it."""

FORM = "在网页上填不发到聊天里 在网页上填 在网页上填写 网页填写 useawebpagenotthechat useawebpage webpage"
"""Words of the button that opens the private form."""

FILLERS = (
    "我 我们 我要 我想 我选 我把 你 您 你们 就 要 用 选 选择 改用 换 换成 换用 改成 还是 那 那就 这 这个 那个 "
    "这样 个 一个 种 请 麻烦 帮我 给我 直接 先用 只有 只能 来 把 都 也 再 全 吧 了 啊 呀 哦 啦 哈 呗 的 嗯 好 "
    "好的 好吧 行 对 对的 是 是的 谢谢 一下 下 试 试试 看看 现在 确实 真的 认证 扫码 识别 支付 方式 切换到 "
    "换到 给 已经 有 字 位 里 一位 一直 人 i id ill im my me we you the a an to for it its itis thats is "
    "please pls plz thanks thankyou ok okay yes then just now want wantto wanna would like choose pick take "
    "use using with by go letme lets try one this that in instead anymore already scan recognition do of all "
    "have am was were them give 想要 想用 想选 扫一下 扫吧"
)
"""Words that change nothing about what a text wants: who, how much, politeness. No word of doubt or denial."""
FILLERS_OF_CONSENT = (
    "我 就 那 都 吧 了 啊 呀 哦 啦 的 嗯 好 好的 好吧 对 对的 是 是的 谢谢 i ok okay yes to it all please thanks"
)
"""The fillers for those choices that must be meant beyond doubt."""
STRICT = (Choice.AGREE, Choice.MINE)
FILLERS_OF_DOUBT = (
    "好像 可能 应该 应该是 似乎 大概 也许 估计 恐怕 怕 貌似 怀疑 觉得 感觉 看来 看起来 有点 有些 来着 "
    "think seems seem maybe perhaps probably might may be guess believe afraid looks look there be"
)
"""Words of somebody who is not sure: they change nothing about a correction or a question, and fit no other choice."""
DOUBTFUL = (
    *(Choice.NAME_WRONG, Choice.CHANGE_NAME, Choice.CHANGE_NUMBER, Choice.CHANGE_DATA),
    *(Choice.NEW_CODE, Choice.DISPUTE),
)
"""The choices of a person who says that something is wrong."""

ORDINALS = {
    "第一 第1 1号 选1 first number1 option1": 1,
    "第二 第2 2号 选2 second number2 option2": 2,
    "第三 第3 3号 选3 third number3 option3": 3,
    "第四 第4 4号 选4 fourth number4 option4": 4,
    "第五 第5 5号 选5 fifth number5 option5": 5,
}
"""Positions in words, from one."""
TRADITIONAL = str.maketrans(
    "並併來係俬個們兩別刪厤唄問國圖實寫對導帐帳幫幷彆彔後復態慮應懷戶掃換擇據擾數暫曆査棄業樣機檯權歷沒灣"
    "無煩狀獲現異發眞確碼種穫箇終結絕給絶經維網繫繼續翫聯脩臉臺號衕裏裡製複覆覈見覺訂計記許訴註証詢試該認"
    "語誤說説請講謝證識議資賬輸轉辦迴這進過選還釦銷錄錯録鏈門閉開關際隱隻頁題額顯颱騰騷髮鵝麼麽點齣隨謂驗爲為會況",
    "并并来系私个们两别删历呗问国图实写对导账账帮并别录后复态虑应怀户扫换择据扰数暂历查弃业样机台权历没湾"
    "无烦状获现异发真确码种获个终结绝给绝经维网系继续玩联修脸台号同里里制复复核见觉订计记许诉注证询试该认"
    "语误说说请讲谢证识议资账输转办回这进过选还扣销录错录链门闭开关际隐只页题额显台腾骚发鹅么么点出随谓验为为会况",
)
"""The traditional characters of the words above; all others are in `bot/content`."""
