"""The words of choices, commands and wishes that people type, by which `typed_input` reads texts. None is ever shown.

Words are written as they are compared: simplified, in lower case, without spaces and signs. The words of a
combination are of several kinds, a thing and what is to be done about it; a text must have one of each, in any order.
"""

from collections.abc import Mapping, Sequence

from bot.flow.events import Choice, Command

Combination = tuple[str, ...]
"""Words of several kinds, of which a text has one each."""

_YES = (
    "是 是的 对 对的 好 好的 可以 嗯 嗯呢 没错 没有错 正确 确认 确定 当然 没问题 没有问题 没毛病 ok okay yes yep yup "
    "yeah yessir yea ya sure right correct fine indeed itis ofcourse certainly definitely absolutely exactly"
)
_GO_ON = "继续 下一步 next goon goahead continue proceed letsgo letsdoit letscontinue letsmoveon moveon"
_NAME_WORDS = "姓名 名字 名 name"
_NUMBER_WORDS = "号码 身份证 身份证号 身份证号码 证号 number idnumber id"
_DATA_WORDS = f"{_NAME_WORDS} {_NUMBER_WORDS} 资料 信息 内容 数据 两个 data details info information everything"
_NOTHING_WRONG = (
    "对 对的 没错 没有错 无误 没问题 没有问题 没毛病 正确 没填错 没写错 没输错 填的对 填的没错 写的没错 输的没错 填对 "
    "核对过 right correct fine ok good accurate true looksgood looksright"
)

METHOD_NAMES: Mapping[Choice, str] = {
    Choice.WECHAT: "微信 v信 威信 维信 wechat weixin vx wx",
    Choice.QQ: "qq 扣扣 企鹅 腾讯qq",
    Choice.FACE: "人脸 人连 刷脸 刷个脸 扫脸 扫个脸 脸 面部 面容 露脸 拍脸 刷人脸 face facial faceid selfie",
}

DENIED_METHODS = "不刷脸 不扫脸 不露脸 没微信 没qq 没扣扣"
"""Words of a person who does without a method."""

CHOICES: Mapping[Choice, str] = {
    Choice.BEGIN: "开始 重新开始 认证 实名认证 begin start startverification verify",
    Choice.PERSONAL: "个人 个人认证 本人 自己 个人实名认证 我的 自己用 个人的实名 个人实名 学生 老师 个人账号 个人号 "
    "personal person personalaccount individual personalverification myself mine myown myownaccount privateuse "
    "private freelancer personl persnal justme onlyme forme itsforme 学生党 自由职业 自由职业者 自己办",
    Choice.MINE: "这是我的账号个人认证 是我的账号 是我的 个人认证 个人 是 是的 对 是自己的账号 我的 我的账号 没错 "
    "对的 当然 确认 是本人的 mine yes yep yeah correct thisismyaccount itismine itsmine myaccount itsmyaccount myown "
    "myownaccount itsmyownaccount thatsmine thatismine itsmyacct myacct ownit iownit theowner imtheowner iamtheowner "
    "thisismine personal thisismyaccountgoon 是本人 是我的号 是我的云账号 是我本人的 对头 确实是我的 本人的 自己的 "
    "自己的号",
    Choice.NOT_MINE: "不是我的账号 不是我的 不是 不认识 不认识这个账号 没见过 no notmine notmyaccount notmyacct "
    "notmyacc thatsnotmine isntmine thatisntmine neverseenit nope thisisnotmyaccount 发错人了 发错了 搞错人了",
    Choice.ENTERPRISE: "企业 企业认证 企业用户 公司 公司用 开公司 单位 单位用 企业账号 公司账号 企业号 enterprise "
    "company business corporate startup llc ltd gmbh firm organization organisation corporation businessaccount "
    "companyaccount",
    Choice.OVERSEAS: "港澳台 港澳台及海外 港澳台及境外 港澳 外籍 海外 境外 香港 澳门 台湾 国际站 外国人 overseas "
    "hongkong macau taiwan hkmacautaiwanoverseas foreigner",
    Choice.AGREE: "同意 同意并继续 同意授权 同意刷脸 授权 接受 认可 愿意 好 好的 可以 行 是的 确认 确定 当然 没问题 "
    "没有问题 没意见 欧克 agree agreed aggree agre accept accepted consent giveconsent y ido yes yess yep yup yeah "
    "yea ya sure ok okk okay okey okie indeed fine alright goahead noproblem soundsgood ofcourse certainly definitely "
    "absolutely agreeandcontinue 都同意 全部同意 全都同意 同意了 已阅读同意 已阅读并同意 我已阅读并同意 看过同意 "
    "看过了同意 看完了同意 读过了同意 读完了同意 知道了同意 明白了同意 了解了同意 同意处理我的信息 "
    "同意你们处理我的信息 同意处理我的个人信息 同意你们处理我的个人信息 同意处理个人信息 同意你们处理个人信息 "
    "同意处理信息 同意你们处理信息 同意收集并处理我的信息 同意你们收集并处理我的信息 同意以上内容 同意以上所有内容 "
    "同意以上所有条款 同意以上条款 同意所有条款 同意全部条款 同意全部内容 授权你们 没异议 没有异议 noobjections "
    "iaccepttheterms accepttheterms acceptterms agreetotheterms agreetoterms ihavereadandagree ihavereadandaccept "
    "readandagree yesplease yespls okplease yesthanks okthanks",
    Choice.NOT_NOW: "想想 想一想 考虑 考虑一下 考虑考虑 暂不 暂不同意 不同意 不太同意 不想同意 不太想同意 不愿意 不愿 "
    "不接受 不授权 不认可 不可以 不继续 先不 不要 不行 不想 不太想 拒绝 拒绝授权 以后再说 下次再说 下次 no nope nah n "
    "noway notnow notyet disagree dontagree notagree donotagree dontaccept notaccept donotaccept decline reject "
    "refuse dontwanttoagree dontwantto dontwantthat never notok notokay absolutelynot ofcoursenot definitelynot "
    "hellno rathernot idrathernot consentnot dontconsent donotconsent cantagree cannotagree wontagree letmethink "
    "letmethinkaboutit thinkaboutit 当然不同意 确定不同意 不了 再说 再说吧 下次一定 暂时不 先不同意 暂时不同意 不方便 "
    "definitelyno absolutelyno",
    Choice.NAME_RIGHT: f"{_YES} {_GO_ON} 是我的姓名 是我的名字 是这个名字 真的 确实 就是 是我 本人 是本人 我本人 "
    "是我本人 叫这个 就叫这个 yesthatsmyname thatsmyname realname 没错儿 没打错 没写错 没填错 千真万确 是滴 对滴 对头 "
    "冇错 系 系的 就这个 真名 对哒 是哒",
    Choice.NAME_WRONG: "不是重新输入 不是我的名字 不是这个名字 不是 不对 不正确 有错 错了 填错了 打错了 输错了 写错了 "
    "不太对 不大对 重新输入 重新填 重新填写 重填 no nope nah n notypeitagain notmyname notright notcorrect incorrect "
    "notexactly notquite retype letmeretype typo wrong wrongname itsnot somethingiswrong 错咯 差一个字 少一个字 "
    "多一个字 少字 多字 打错字 打错字了 有错字 弄错了 搞错了 弄错 搞错 重新填一遍 重新填一下 correctmyname "
    "correctthename",
    Choice.CONFIRM: f"{_YES} {_GO_ON} 确认无误 无误 填对 核对过 随便 都行 无所谓 任选 confirm confirmed allcorrect "
    "looksgood looksright allgood good any whatever 不用改 nochange nochanges",
    Choice.CHANGE_NAME: "typo",
    Choice.CHANGE_NUMBER: "notmynumber notmyid",
    Choice.WECHAT: f"{METHOD_NAMES[Choice.WECHAT]} 微信扫 微信扫码 微信码 微信二维码 wechatqr wechatcode",
    Choice.QQ: f"{METHOD_NAMES[Choice.QQ]} qq扫 qq扫码 qq码 qq二维码 qqcode 扣扣扫",
    Choice.FACE: f"{METHOD_NAMES[Choice.FACE]} 人脸验证 人脸核验 人脸辨识",
    Choice.NETID: "网号 网证 netid networkidentity usemynetworkidentity",
    Choice.NEW_CODE: "换个新码 过期了 失效了 已经过期了 已经失效了 快过期了 要过期了 新码 新的二维码 新二维码 新的码 "
    "换码 刷新 换二维码 重新获取 重新生成 过期 失效 再给我一个 新的 新一个 再来一个码 再来个码 newcode refresh "
    "getanewcode expired newone anotherone 已经过期 已经失效 现在过期 alreadyexpired 要新码 来新码 给新码 换新码 "
    "要新的 来个新的 给个新的 换新的 要个新的 anewcode sendanewcode givemeanewcode needanewcode itsaysexpired "
    "codeexpired",
    Choice.OTHER_METHOD: f"换种方式 换一种 别的 不扫码 anothermethod {DENIED_METHODS}",
    Choice.TRY_AGAIN: "再试一次 重新试 重新试试 重新认证 重新验证 重新弄 重试 再来一次 再来 重新来 重来 再试 再弄 "
    "再弄一次 再做一次 再认证一次 继续 重新来一遍 重新扫 再扫一次 再扫 再来一遍 再来一个 再发 再发一次 再发一遍 "
    "再发一个 重新发 重新发一个 重发 没来得及 没来得及扫 刚才没来得及 刚才没来得及扫 再给我发 再给我发一次 "
    "再给我发一个 tryagain retry again continue onemoretime oncemore onemoretry anothertry startagain startover "
    "onemore checkagain tryoncemore sendagain resend givemeanother",
    Choice.CHANGE_DATA: "修改资料 changedata 修改 更改 变更 edit modify 改一下 要改 想改 wanttochange",
    Choice.FREED: "已腾出名额继续 已腾出名额 腾出名额了 腾出来 已经腾出来 空出来 注销了一个 注销了 腾出 继续 已注销 "
    "注销好 好了 弄好 弄好了 搞定 搞定了 ifreedaplace freed iclosedone done finished continue 处理好了 处理好 "
    "再查一下 再查 刷新 解绑了 已解绑 已经解绑",
    Choice.DISPUTE: "对结果有异议 有异议 结果不对 这不对 不服 申诉 投诉结果 结果错了 结果有误 结果有问题 不可能 "
    "明明是我 明明是本人 填的没错 写的没错 没填错 thisiswrong wrong idisagree appeal dispute notright notfair unfair "
    "impossible cantberight thiscantberight thatcantberight itwasme thatwasme 你们搞错了 你们弄错了 就是我 明明就是我 "
    "是我的 我没错 是你们错 不是我填错 你们错了 itsdefinitelyme",
    Choice.BACK: "返回 上一步 后退 回去 返回上一步 回上一步 回上一页 上一页 退回 退回去 选错 选错了 重新选 重选 back "
    "goback goingback wrongone wrongchoice",
    Choice.CANCEL: "取消 取消认证 退出 算了 算啦 终止 结束认证 先取消 不要认证 不玩了 不试了 不扫了 放弃 不弄了 "
    "不办了 不做了 不搞了 不认证了 不想弄 不想办 不想做 不想搞 不想认证 不用认证 cancel quit stop nevermind forgetit "
    "giveup idontwantthis idontwanttodothis 不想弄了 不想办了 不想做了 不想搞了 不想认证了 放弃了 要退出了 要取消了 "
    "想取消了",
}
"""The words of each choice. A text may say them among words that change nothing: see `FILLERS`."""
EXACT_CHOICES: Mapping[Choice, str] = {
    Choice.OTHER_METHOD: "不刷 不刷了 不敢刷",
    Choice.NAME_WRONG: "不",
    Choice.TRY_AGAIN: "还要",
    Choice.NOT_NOW: "不要了 不用了",
    Choice.CHANGE_NAME: "姓名",
    Choice.CHANGE_NUMBER: "号码 身份证号",
    Choice.CHANGE_DATA: "改 改一下 要改 我要改 想改 我想改 修改 我要修改 我想修改 修改一下 更改 变更 change edit "
    "modify",
}
"""Words of choices that mean them only when nothing stands beside them: "姓名对的" is no wish to change the name."""

METHODS = tuple(METHOD_NAMES)
METHOD_WORDS = " ".join(METHOD_NAMES.values())
DENIALS = (
    "不是 没有 别用 别选 不想 不要 不用 不会 不能 不喜欢 不支持 不同意 没装 没下载 没注册 没登录 dont not no without "
    "insteadof ratherthan donthave haventgot dontlike hate cant cannot"
)
"""Words before a method that a person does not want or have."""
_MISTAKES = (
    "改 换 别的 少 漏 不正确 修改 更改 重填 重新填 重新输入 错 不对 不太对 不大对 有误 change edit fix tocorrect "
    "correctmy correctthe another wrong iswrong notright notcorrect incorrect misspelled typo missing mistake mistyped "
    "retype imistyped mademistake madeamistake"
)

ALL_IS_RIGHT: Combination = (f"{_DATA_WORDS} 都 all", _NOTHING_WRONG)
_CONFIRMED: Sequence[Combination] = ((CHOICES[Choice.CONFIRM],), ALL_IS_RIGHT)

CHOICE_COMBINATIONS: Mapping[Choice, Sequence[Combination]] = {
    Choice.PERSONAL: [(CHOICES[Choice.PERSONAL], f"{CHOICES[Choice.AGREE]} {_GO_ON} {METHOD_WORDS}")],
    Choice.NAME_WRONG: [(f"{_NAME_WORDS} 字 一个字 最后一个字", _MISTAKES)],
    Choice.NOT_MINE: [
        (
            "老公 老婆 爸 妈 爸爸 妈妈 父亲 母亲 朋友 同事 家人 儿子 女儿 哥 姐 弟弟 妹妹 别人 他人",
            "的 的号 的账号 账号",
        ),
    ],
    Choice.FREED: [
        (
            "注销了 注销掉 已注销 腾出了 解绑了 释放了 删了 取消 取消了 放弃 放弃了 不要了 closed freed deleted "
            "removed released",
            "账号 账户 名额 一个 号 一个号 account accounts one place slot",
        )
    ],
    Choice.DISPUTE: [ALL_IS_RIGHT],
    Choice.NAME_RIGHT: [(_NAME_WORDS, " ".join(dict.fromkeys(f"{_NOTHING_WRONG} {_YES} real".split())))],
    Choice.CONFIRM: [ALL_IS_RIGHT],
    Choice.CHANGE_NAME: [(_NAME_WORDS, _MISTAKES)],
    Choice.CHANGE_NUMBER: [(f"{_NUMBER_WORDS} digit lastdigit birthday birthdate", f"{_MISTAKES} notmy")],
    Choice.CHANGE_DATA: [(_DATA_WORDS, _MISTAKES)],
    Choice.NEW_CODE: [
        (
            "码 二维码 这个码 这码 这二维码 这个二维码 qrcode code thiscode thisqrcode",
            "换 刷新 过期 过期了 已经过期 已经过期了 失效 失效了 已经失效 已经失效了 重新 重新发 重新生成 refresh "
            "expired isexpired hasexpired another anew",
        )
    ],
    Choice.OTHER_METHOD: [
        ("方式 方法 办法 method way", "换 其他 别的 改 other another different change"),
        (METHOD_WORDS, DENIALS),
    ],
    # "The data are right, with WeChat please", "once more with QQ".
    **{
        method: [
            *((CHOICES[method], *kinds) for kinds in _CONFIRMED),
            (CHOICES[method], CHOICES[Choice.TRY_AGAIN]),
        ]
        for method in METHODS
    },
}

COMMANDS: Mapping[Command, str] = {
    Command.START: "开始 start",
    Command.STATUS: "状态 进度 查询进度 认证进度 认证结果 到哪一步了 status progress",
    Command.BACK: CHOICES[Choice.BACK],
    Command.CANCEL: f"{CHOICES[Choice.CANCEL]} 撤回 撤回同意",
    Command.FAQ: "常见问题 问题 faq questions",
    Command.HELP: "帮助 怎么用 help",
    Command.LANGUAGE: "语言 切换语言 language 中文 english 英文 chinese",
    Command.PRIVACY: "隐私 我的数据 privacy mydata",
    Command.HUMAN: "人工 转人工 人工客服 转人工客服 客服 投诉 联系人工 联系客服 human agent humanagent talktoahuman",
}

EXACT_COMMANDS: Mapping[Command, str] = {
    Command.CANCEL: "不要了 不要了谢谢 不用了 不用了谢谢 谢谢不用了 不需要了 我不需要了 取消了"
}
"""Words of commands that mean them only when nothing stands beside them."""

COMMAND_COMBINATIONS: Mapping[Command, Sequence[Combination]] = {
    Command.LANGUAGE: [("语言 中文 英文 英语 english chinese", "说 讲 换 切换 切换成 switch change speak to in")],
    Command.PRIVACY: [
        (
            "信息 资料 数据 记录 历史记录 data info information details records everything",
            "删 删除 删掉 清除 清掉 清空 导出 查看 delete erase remove wipe export download",
        )
    ],
}

AGAINST_REMINDERS = "不再提醒 退订 别烦我 td unsubscribe mute"
REMINDER_COMBINATION: Combination = (
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
    "复制链接 在本机打开 再显示一次二维码 二维码 在哪 在哪里 copylink openonthisphone openhere showthecodeagain qrcode "
    "code senditagain showitagain"
)
CODE_COMBINATION: Combination = (
    "码 二维码 图片 图 qrcode code picture image",
    "哪 哪里 在哪 在哪里 呢 发 再发 重发 再发一次 再显示一次 看不到 看不见 找不到 没 没有 不见 where wheres whereis "
    "send show again resend",
)
"""Words of a person who looks for the code or for the buttons below it."""

_UNFIT = "不可以 不方便 不安全 不能用 不会用 没法用"
TROUBLES = (
    "不行 不好使 不好用 用不了 扫不了 扫不出 扫不出来 扫不上 打不开 登不上 登不了 登录不了 坏了 失败 没过 没通过 "
    "不通过 太麻烦 太慢 被封 被封了 封了 冻结 没卡 没银行卡 没有银行卡 没绑卡 没绑银行卡 算了 doesntwork dontwork "
    "isntworking notworking wontwork broken blocked notavailable unavailable fails failed"
)
"""Words of what does not work; before a method they do not deny it."""
SWITCHES = "换 改 还是 那 就 用 switch change let use"
"""Words with which a wish begins, after a trouble that names no method."""
METHOD_TROUBLE: Combination = (METHOD_WORDS, f"{DENIALS} {TROUBLES} {_UNFIT}")

REASONS = "绑了卡 绑卡了 绑过卡 有卡 有银行卡"
"""Words that people say for a method; they change nothing."""

SCANNED = "扫完 扫好 扫了 扫的 扫过 用的 scanned"
DONE = (
    "扫的 扫过 扫完 扫好 扫了 弄好 弄完 搞定 完成 授权 已授权 认证好 认证完 通过 已通过 好了 done finished scanned "
    "complete"
)
"""Words of a person who has done what the phone asks for."""

KEPT = (
    "不改了 算了不改了 不用改了 不用改 原来的就对 原来的 原来的没错 看错了没错 不换了 不变 tokeepit keepit keep "
    "keeptheold keepold oldone theoldone leaveit dontchange nochange nochanges same thesame wasright itwasright "
    "wasfine itwasfine"
)
"""Words of a person who would rather not change a name or a number."""

WHY = "为什么 为啥 为何 怎么回事 怎么会 怎么会这样 什么原因 什么情况 原因 why reason whathappened whatwentwrong howcome"
WHAT_NEXT = (
    "怎么办 咋办 那怎么办 怎么弄 接下来怎么办 接下来 然后 然后呢 whatnow whatnext whatsnext whatisnext nowwhat "
    "whatshouldido whatdoido whatcanido"
)
"""Words of a person who wants to know why it did not go on, or what to do; the question on the screen says both."""

FORM = "在网页上填不发到聊天里 在网页上填 在网页上填写 网页填写 useawebpagenotthechat useawebpage webpage"
"""Words of the button that opens the private form."""

FILLERS = (
    "我 我们 我要 我想 我选 我把 你 您 你们 就 要 用 选 选择 改用 换 换成 换用 改成 还是 那 那就 这 这个 那个 这样 个 "
    "一个 种 请 麻烦 帮我 给我 直接 先用 只有 只能 来 把 都 也 再 全 吧 了 啊 呀 哦 啦 哈 呗 的 嗯 好 好的 好吧 行 对 "
    "对的 是 是的 谢谢 一下 下 试 试试 看看 现在 刚才 刚刚 确实 真的 认证 扫码 识别 支付 方式 切换到 换到 给 已经 有 "
    "字 位 里 一位 一直 人 i id ill im my me we you the a an to for it its itis thats is please pls plz thanks "
    "thankyou ok okay yes then just now want wantto wanna would like choose pick take use using with by go letme lets "
    "try one this that in instead anymore already scan recognition do of all have am was were them give 想 想要 想用 "
    "想选 扫一扫 扫一下 扫吧 比较 更 方便 方便点 快 快点 简单 点 喜欢 习惯 常用 办理 申请 进行 verify 算了还是 回去 "
    "里面 上 prefer rather better scanned faster quicker easier easy simple more actually meant works typed wrote "
    "entered put has hmm here so scanning gimme qr thx switchto changeto option choice only send get need 要做 想做 "
    "我做 做个 来做 帮我做 要办 想办 办个 帮我办 办一下 咱 俺 嘛 走起 尽量 又 对不起 不好意思 sorry idlike"
)
"""Words that change nothing about what a text wants: who, how much, politeness. No word of doubt or denial."""
OWN_FILLERS: Mapping[Choice, str] = {
    Choice.BACK: "我 要 我要 我想 想 请 帮我 就 吧 啊 呀 谢谢 一下 i want to wanna would like please pls we let me "
    "lets just now then the",
    Choice.CANCEL: "我 我们 要 我要 我想 想 请 麻烦 帮我 那 吧 啊 呀 啦 哈 呗 的 谢谢 一下 认证 办理 申请 好 好的 嗯 "
    "先 全 都 i we want to wanna would like please pls thanks just now then the this my me let lets everything all ok "
    "okay",
    Choice.NAME_RIGHT: "我 这 这个 就 都 也 的 吧 啊 呀 哦 嗯 好 好的 对 对的 是 是的 谢谢 确实 真的 了 i it its itis "
    "this that thats is my the me yes ok okay please thanks all",
}
"""The fillers of choices beside which other words mean something else: "算了，我扫一下" cancels nothing."""
NO_FILLERS_OF: Mapping[Choice, str] = {
    Choice.MINE: "吧 嘛 哦 啊 呀",
    Choice.NOT_MINE: "给 给我 帮我",
    Choice.NAME_WRONG: "点",
    Choice.NEW_CODE: "have already 了 好 有 已经 一直 刚才 刚刚 这 这个 是 this is its it thats",
    Choice.TRY_AGAIN: "已经 刚才 刚刚 还是 这样 了 already just this that",
    **dict.fromkeys(
        METHODS,
        "already 已经 刚才 刚刚 一直 要 又 真的 确实 你 您 你们 you id me 给 给我 人 上 试 was were am scanning",
    ),
}
"""The fillers that change what these choices mean: "I have a new code", "又要刷脸"."""
FILLERS_OF_CONSENT = (
    "我 就 那 吧 啊 呀 哦 啦 的 嗯 嗯呢 恩 哈 滴 咯 嘛 好 好的 好吧 对 对的 是 是的 谢谢 麻烦 开始 i ok okay yes to "
    f"it all of everything lets {_GO_ON}"
)
"""The fillers for those choices that must be meant beyond doubt."""
STRICT = (Choice.AGREE, Choice.MINE)
FILLERS_OF_DOUBT = (
    "好像 可能 应该 应该是 似乎 大概 也许 估计 恐怕 怕 貌似 怀疑 觉得 感觉 看来 看起来 有点 有些 来着 think seems seem "
    "maybe perhaps probably might may be guess believe afraid looks look there 填 写 打 输 弄"
)
"""Words of somebody who is not sure: they change nothing about a correction or a question, and fit no other choice."""
DOUBTFUL = (
    *(Choice.NAME_WRONG, Choice.CHANGE_NAME, Choice.CHANGE_NUMBER, Choice.CHANGE_DATA),
    *(Choice.NEW_CODE, Choice.DISPUTE),
)
"""The choices of a person who says that something is wrong."""

ORDINALS = {
    "第一 第1 1号 选1 first firstone firstoption number1 option1 1st": 1,
    "第二 第2 2号 选2 second secondone secondoption number2 option2 2nd": 2,
    "第三 第3 3号 选3 third thirdone thirdoption number3 option3 3rd": 3,
    "第四 第4 4号 选4 fourth fourthone fourthoption number4 option4 4th": 4,
    "第五 第5 5号 选5 fifth fifthone fifthoption number5 option5 5th": 5,
}
"""Positions in words, from one."""
FILLERS_OF_POSITION = (
    "我 我要 我选 要 选 选择 用 就 那 那就 那个 的 个 一个 种 吧 请 谢谢 好 好的 the i id like want ill take choose "
    "pick go with ok yes please pls thanks"
)
"""The fillers beside a position: "one second" is none."""
TRADITIONAL = str.maketrans(
    "並併來係俬個們傢儘兒內兩冊凍別刪剋剛厤唄問單噠噹國圖壞媽學實寫對導帐師帳幫幷彆彔後復態慣慮應懷戶掃換擇據擾敗數時"
    "暫曆會査條棄業樣機檯權歐歡歷沒況灣為無煩爲狀獲現異當發盡眞確碼種穫箇簡終結絕給絶綁經維網繫繼續纔習翫聯職脩臉臺萬"
    "處號衕裏裝裡製複覆覈見親覺訂計訊記許訴註証詢試該認語誤說説請謂講謝證識議讀變資賬較載輸轉辦迴這連進過選還釋釦銀銷"
    "錄錯録鏈門閉開閱閲關際隨隱隻雲韆頁頭題額願顯颱騰騷驗髮鵝麪麫麵麼麽點黨齣",
    "并并来系私个们家尽儿内两册冻别删克刚历呗问单哒当国图坏妈学实写对导账师账帮并别录后复态惯虑应怀户扫换择据扰败数时"
    "暂历会查条弃业样机台权欧欢历没况湾为无烦为状获现异当发尽真确码种获个简终结绝给绝绑经维网系继续才习玩联职修脸台万"
    "处号同里装里制复复核见亲觉订计讯记许诉注证询试该认语误说说请谓讲谢证识议读变资账较载输转办回这连进过选还释扣银销"
    "录错录链门闭开阅阅关际随隐只云千页头题额愿显台腾骚验发鹅面面面么么点党出",
)
"""The traditional characters of the words above; all others are in `bot/content`."""
