const partition = String.raw`(aws[a-z-]*|\$\{AWS::Partition\})`
const region = String.raw`([a-z]+(-[a-z]+)+-\d|\$\{AWS::Region\})`
const account = String.raw`(\d{12}|\$\{AWS::AccountId\})`
const name = String.raw`([\w-]+|\$\{stageVariables\.\w+\})`
const functionArn = `arn:${partition}:lambda:${region}:${account}:function:${name}(:(${name}|\\$LATEST))?`

/** How API Gateway calls a function, and gets the answer whole or as a stream. */
export const lambdaUris = {
  whole: uri('2015-03-31', 'invocations'),
  stream: uri('2021-11-15', 'response-streaming-invocations'),
}

function uri(version: string, action: string): RegExp {
  return new RegExp(`^arn:${partition}:apigateway:${region}:lambda:path/${version}/functions/${functionArn}/${action}$`)
}
