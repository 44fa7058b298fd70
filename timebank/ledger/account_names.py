"""What accounts are called in Chinese. Pure."""

from timebank.ledger.rules import AccountKind

ACCOUNT_KIND_NAMES = {
    AccountKind.SAVINGS: "储蓄时长",
    AccountKind.GRANTED: "政府购买服务时长",
    AccountKind.VOUCHERS: "未用餐券",
    AccountKind.POOL: "公益时间池",
    AccountKind.ISSUANCE: "发行",
    AccountKind.CLEARING: "清算",
    AccountKind.REDEEMED: "已兑换",
    AccountKind.PURSE: "餐费余额",
    AccountKind.FUND: "保障金",
    AccountKind.CASH: "现金",
    AccountKind.SETTLED: "已结算",
    AccountKind.NETTING: "轧差",
    AccountKind.TILL: "助餐点现金",
    AccountKind.CANTEEN: "助餐点应收",
    AccountKind.DONATED: "助餐捐款",
    AccountKind.PRODUCE: "菜园食材",
    AccountKind.SUBSIDY: "助餐补贴",
    AccountKind.VOLUNTEERED: "志愿服务折价",
    AccountKind.IN_KIND: "实物折价",
}
